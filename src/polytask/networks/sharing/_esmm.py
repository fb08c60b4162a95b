"""ESMM: a task that exists only where another is "yes", learned over all rows."""

from collections.abc import Callable, Sequence
from typing import Literal

from torch import nn

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks._task_product import TaskProduct
from polytask.tasks import FittedTask


class ESMM(Recipe):
    r"""Entire space multi-task model: a parent task and a child whose label exists only where the parent is "yes".

    Such as a click and, after a click, a purchase. A network that learns the child from the rows where the parent is "yes" is
    asked later for all rows, which it has seen a selection of. Here no loss is of the child's own probability: the network learns

    .. math:: p(\text{parent}), \quad p(\text{parent and child}) = p(\text{parent})\, p(\text{child} \mid \text{parent}),

    both over all rows. The head of the child gives p(child | parent), and this is what predictions of the child are, for every
    row: the probability of the child if the parent were "yes". The probability that both happen is the product of the two tasks'
    predicted probabilities.

    Parameters
    ----------
    parent, child : str
        Names of two binary tasks, learned by cross-entropy without class weights. Other tasks are learned as ever.
    sharing : Recipe or str, default=HardSharing()
        What all tasks share: any architecture, such as ``"mmoe"``. The paper shares the embeddings and has a network per task.
    elsewhere : {"refuse", "undefined"}, default="refuse"
        What to do with labels of the child where the parent is "no". ``"undefined"`` takes them as missing, as in data that say
        0 where there was nothing to observe; they must be "no" then.

    Notes
    -----
    The epoch that is kept, and the child's learning curves, are by the skill of the product over all validation rows. The child's
    scores are of its own predictions where its label is defined. In ``compare`` the child's twin is what the paper argues
    against: a network that learns from the rows where the parent is "yes" alone.

    A label weight of its own that the child has where the parent is "yes" is not used, but for 0: the pair has the weight of the
    parent's label.

    References
    ----------
    Ma, Zhao, Huang, Wang, Hu, Zhu & Gai, "Entire Space Multi-Task Model: An Effective Approach for Estimating Post-Click
    Conversion Rate", SIGIR 2018. arXiv:1804.07931

    Examples
    --------
    >>> ESMM("click", "buy", sharing="mmoe").build(8, 2).out_features
    64
    """

    def __init__(
        self,
        parent: str,
        child: str,
        *,
        sharing: Recipe | str | None = None,
        elsewhere: Literal["refuse", "undefined"] = "refuse",
    ) -> None:
        self.parent = parent
        self.child = child
        self.sharing = sharing
        self.elsewhere = elsewhere

    @property
    def reads(self) -> Literal["features", "stages", "encoders"]:  # type: ignore[override]
        """What the architecture inside reads."""
        return self._inside().reads

    @property
    def in_stacks(self) -> bool:  # type: ignore[override]
        """Whether networks of the architecture inside may be trained several at once."""
        return self._inside().in_stacks

    def build(self, in_features: int, n_tasks: int) -> nn.Module:
        """Make the layer of the architecture inside: the product is of the outputs, and has no parameters."""
        self._check()
        return self._inside().build(in_features, n_tasks)

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> nn.Module:
        """The same where the architecture inside holds its encoders itself."""
        self._check()
        return self._inside().build_on(make_encoder, n_tasks)

    def of_twin(self) -> Recipe:
        """That of the architecture inside."""
        return self._inside().of_twin()

    def product_of(self, tasks: Sequence[FittedTask]) -> TaskProduct:
        """Which of the tasks are the parent and the child.

        Raises
        ------
        OptionError
            If one of them is not there, is not binary, or has a loss or class weights of its own.
        """
        self._check()
        names = [task.name for task in tasks]
        for what, given in (("parent", self.parent), ("child", self.child)):
            if str(given) not in names:
                raise OptionError(
                    f"`{what}` of ESMM must be one of the tasks; got {given!r}. They are {', '.join(map(repr, names))}."
                )
            _check_task(tasks[names.index(str(given))], what)
        return TaskProduct(names.index(str(self.parent)), names.index(str(self.child)), undefined=self.elsewhere == "undefined")

    def _inside(self) -> Recipe:
        from polytask.networks.sharing._registry import sharing_of  # which knows this one too

        inside = sharing_of("hard" if self.sharing is None else self.sharing, option="`sharing` of ESMM")
        if isinstance(inside, ESMM):
            raise OptionError(
                "`sharing` of ESMM must be another architecture, such as 'mmoe': one network has one parent and child."
            )
        return inside

    def _check(self) -> None:
        if str(self.parent) == str(self.child):
            raise OptionError(f"`parent` and `child` of ESMM must be two tasks; got {self.parent!r} for both.")
        if self.elsewhere not in ("refuse", "undefined"):
            raise OptionError(f"`elsewhere` of ESMM must be 'refuse' or 'undefined'; got {self.elsewhere!r}.")


def _check_task(task: FittedTask, what: str) -> None:
    whose = f"The {what} {task.name!r} of ESMM"
    if task.kind != "binary":
        raise OptionError(
            f"{whose} must be a binary task, of which a probability can be multiplied; it is of kind {task.kind}. "
            f"Make it one, such as {f'{task.name}>0'!r}, or choose another sharing."
        )
    if task.loss.to_dict() != task.default_loss.to_dict():
        raise OptionError(
            f"{whose} must be learned by cross-entropy, since probabilities are multiplied; its loss is {task.loss.name!r}. "
            "Leave the loss out."
        )
    if not task.has_fixed_losses or getattr(task, "class_weights", None):
        raise OptionError(
            f"{whose} has class weights, by which its probabilities are those of another population and cannot be multiplied. "
            "Leave the class weights out."
        )

"""``MultiTaskNetwork(balancing=...)``: by object or name, cloned, searched, saved, continued."""

import numpy as np
import pytest
from sklearn.base import clone

from polytask.balancing import CRMOGM, DWA, FAMO, PCD, BalancingMethod, CAGrad, Every, FixedWeights
from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator
from polytask.estimators._fit_networks import CodedTable, NetworkJob
from polytask.exceptions import ModelFolderError, OptionError, PolytaskWarning
from polytask.networks import MLP


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    y = np.stack([X[:, 0] + X[:, 1], X[:, 0] > 0, X[:, 2] - X[:, 1]], axis=1)
    y[::7, 1] = np.nan
    return X, y


def network(balancing, **options):
    return MultiTaskNetwork(balancing=balancing, **{"encoder": MLP(width=8), "max_epochs": 3, "random_state": 0, **options})


def test_a_name_and_a_method_give_the_same(table):
    X, _ = table
    first, second, third = (
        network(given).fit(*table).predict(X) for given in ("cagrad:c=0.3", CAGrad(c=0.3), "CA_Grad: c = 0.3")
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)


def test_equal_is_the_default(table):
    X, _ = table
    np.testing.assert_array_equal(network(None).fit(*table).predict(X), network("equal").fit(*table).predict(X))


def test_a_method_changes_what_is_learned(table):
    X, _ = table
    found = [network(given).fit(*table).predict(X) for given in (None, "rlw", "pcgrad")]
    assert not np.allclose(found[0], found[1])
    assert not np.allclose(found[0], found[2])


def test_fit_leaves_the_given_method_as_it_was(table):
    method = DWA()
    model = network(method).fit(*table)
    assert model.balancing is method
    assert method.memory == {}
    assert model.network_.method.memory["last"].keys() == {"y0", "y1", "y2"}
    again = network(model.network_.method).fit(*table)  # what it remembers of another fit makes no difference
    np.testing.assert_array_equal(again.predict(table[0]), model.predict(table[0]))


@pytest.mark.parametrize(
    "method",
    [
        FixedWeights({"y0": 1, "y1": 1, "y2": 1, "Y1": 1}),
        "stch:preference.Y1=2",
        "pbi:ideal.Y1=0.1",
        CRMOGM(PCD(primary="y0", tau={"Y1": 0.1})),
    ],
)
def test_a_setting_for_a_task_that_is_not_there_is_told(table, method):
    with pytest.warns(PolytaskWarning, match=r"of `balancing` names 'Y1', which no task of this fit is called.*'y0', 'y1', 'y2'"):
        network(method).fit(*table)


def test_settings_of_a_method_are_parameters_of_the_network():
    model = network(CAGrad(c=0.2))
    assert model.get_params()["balancing__c"] == 0.2
    other = clone(model).set_params(balancing__c=0.7)
    assert (other.balancing.c, model.balancing.c) == (0.7, 0.2)
    assert clone(network(FixedWeights({"y0": 2.0}))).balancing.weights == {"y0": 2.0}
    with pytest.raises(ValueError, match="`c` of CAGrad"):
        other.set_params(balancing__c=-1.0)
    with pytest.raises(OptionError, match="CAGrad has no setting 'temperature'; it has 'c'"):
        other.set_params(balancing__temperature=1.0)


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"balancing": "pc_grid"},
            r"`balancing` of MultiTaskNetwork must be a balancing method; got 'pc_grid'. Did you mean 'pcgrad'",
        ),
        ({"balancing": "cagrad:d=1"}, "CAGrad in `balancing` of MultiTaskNetwork has no setting 'd'"),
        ({"balancing": "cagrad:c"}, r"must be name=value; got 'c'"),
        ({"balancing": "cagrad:c=much"}, "`balancing` of MultiTaskNetwork"),
        ({"balancing": "xyz"}, "There are aligned_mtl, cagrad"),
        ({"balancing": "xyz"}, r"go4align \(experimental\), grad_drop"),
        ({"balancing": "mocoo"}, r"Did you mean 'mo_co' \(experimental\)\?"),
        ({"balancing": "every:k=5"}, "Every in `balancing` of MultiTaskNetwork needs 'method'"),
        ({"balancing": "every:method=dwa"}, "weights of DWA cannot be kept"),
        ({"balancing": "every:method=mgda,method.c=1"}, "'method' in `balancing` of MultiTaskNetwork is given as a value and by"),
        ({"balancing": CAGrad}, "got the class CAGrad, not an object"),
        ({"balancing": "fixed_weights"}, "FixedWeights in `balancing` of MultiTaskNetwork needs 'weights'"),
        ({"balancing": "pcgrad", "balance_at": "heads"}, "`balance_at` must be 'parameters' or 'features'; got 'heads'"),
    ],
)
def test_bad_options_are_named(table, options, message):
    with pytest.raises(OptionError, match=message):
        MultiTaskNetwork(**options).fit(*table)


def test_epochs_without_a_comparison_keep_their_place_in_the_curves(table):
    model = network("every:method=mgda,k=12").fit(*table)  # four steps in each of three epochs
    conflict = model.network_.curves["conflict"]
    assert conflict.shape == (3,)
    assert np.isnan(conflict).tolist() == [False, True, True]


@pytest.mark.parametrize("balancing", ["nash_mtl", Every(CAGrad(c=0.3), k=2), FixedWeights({"y0": 2.0, "y1": 1.0, "y2": 1.0})])
def test_a_model_folder_keeps_the_method_and_its_curves(table, balancing, tmp_path):
    model = network(balancing, balance_at="features").fit(*table)
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert repr(loaded.balancing) == repr(model.balancing)
    assert loaded.balance_at == "features"
    assert repr(loaded.network_.method) == repr(model.network_.method)
    for name, values in model.network_.curves.items():
        np.testing.assert_allclose(loaded.network_.curves[name], values)
    if model.network_.cosines is not None:
        np.testing.assert_allclose(loaded.network_.cosines, model.network_.cosines)


class Mine(BalancingMethod):
    """A method of the user's own, made of the losses alone."""

    def __init__(self, *, power=1.0):
        super().__init__()
        self.power = power

    def forward(self, seen):
        return seen.losses**self.power


def test_a_method_of_the_users_own_is_given_at_load(table, tmp_path):
    model = clone(network(Mine(power=0.5))).fit(*table)
    save_estimator(model, tmp_path / "model")
    with pytest.raises(ModelFolderError, match=r"balanced by 'Mine'.*pass the class to load"):
        load_estimator(tmp_path / "model")
    assert load_estimator(tmp_path / "model", classes=[Mine]).balancing.power == 0.5


def test_partial_fit_goes_on_with_the_memory(table):
    X, y = table
    model = network(FAMO())
    for rows in np.split(np.arange(150), 3):
        model.partial_fit(X[rows], y[rows], classes={"y1": [0.0, 1.0]})
    steps = model.network_.method.memory["logits.steps"]
    assert {name: int(value) for name, value in steps.items()} == dict.fromkeys(("y0", "y1", "y2"), model.network_.steps)
    assert model.network_.curves["weights"].shape == model.network_.curves["train"].shape == (3, 3)


def test_a_warm_start_begins_with_an_empty_memory(table):
    model = network(DWA(), warm_start=True, max_epochs=1).fit(*table)
    model.fit(*table)
    assert np.isnan(float(model.network_.method.memory["previous"]["y0"]))


@pytest.mark.parametrize("balancing", ["pcgrad", "famo"])
def test_folds_and_twins_at_once_are_those_trained_alone(table, balancing):
    model = network(balancing, encoder=MLP(width=8, dropout=0.0))
    arrays, labels = model._read_training_data(*table)
    labels, weight = labels.weighed(None)
    coded = CodedTable(arrays, model.codec_.cardinalities)
    every, only = np.ones(3, dtype=bool), np.array([False, True, False])
    jobs = [
        NetworkJob(np.arange(100), np.arange(100, 150), every, 1),
        NetworkJob(np.arange(100), np.arange(100, 150), only, 2),
        NetworkJob(np.arange(50, 150), np.arange(50), every, 3),
    ]
    together = model.fit_jobs(jobs, coded, labels, weight)
    for job, found in zip(jobs, together, strict=True):
        alone = model.fit_jobs([job], coded, labels, weight)[0]
        np.testing.assert_allclose(found.curves["skill"], alone.curves["skill"], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(found.curves["weights"], alone.curves["weights"], rtol=1e-2, atol=1e-3)
    twin = model.set_params(balancing=None).fit_jobs([jobs[1]], coded, labels, weight)[0]
    np.testing.assert_allclose(together[1].curves["skill"], twin.curves["skill"], rtol=1e-3, atol=1e-3)

"""Metrics: labels and outputs in natural scale in, one number out, or the reason why there is none.

A metric is a function ``metric(target, outputs, *, sample_weight=None) -> float`` and a :class:`Metric` of the same name in
capitals that knows its direction and its error. Outputs are means (n,), class probabilities (n, n_classes) or label
probabilities (n, n_labels). Missing labels (NaN) and labels of weight 0 are left out. A metric without a value raises
:class:`UndefinedMetric`; it is never NaN, and never 0 in silence. The ``row_*`` functions give the loss of every row.

>>> from polytask.metrics import ACCURACY, ROC_AUC, evaluate_metrics
>>> target = [1.0, 1.0, float("nan")]
>>> outputs = [[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]
>>> evaluate_metrics([ACCURACY, ROC_AUC], target, outputs)
({'accuracy': 0.5, 'roc_auc': None}, {'roc_auc': 'only one class in the labels'})
"""

from polytask.metrics._classification import (
    ACCURACY,
    BALANCED_ACCURACY,
    F1,
    F1_MACRO,
    F1_MICRO,
    accuracy,
    balanced_accuracy,
    f1,
    f1_macro,
    f1_micro,
)
from polytask.metrics._count import POISSON_DEVIANCE, poisson_deviance
from polytask.metrics._metric import Metric, evaluate_metrics
from polytask.metrics._multilabel import (
    HAMMING_LOSS,
    MULTILABEL_F1_MACRO,
    MULTILABEL_F1_MICRO,
    MULTILABEL_LOG_LOSS,
    RANKING_LOSS,
    hamming_loss,
    multilabel_f1_macro,
    multilabel_f1_micro,
    multilabel_log_loss,
    ranking_loss,
)
from polytask.metrics._ordinal import ORDINAL_MAE, QUADRATIC_KAPPA, ordinal_mae, quadratic_kappa
from polytask.metrics._placements import auc_placements
from polytask.metrics._probability import BRIER, LOG_LOSS, brier, log_loss
from polytask.metrics._ranking import (
    AVERAGE_PRECISION,
    AVERAGE_PRECISION_PER_LABEL,
    ROC_AUC,
    ROC_AUC_PER_LABEL,
    average_precision,
    average_precision_per_label,
    roc_auc,
    roc_auc_per_label,
)
from polytask.metrics._regression import MAE, MSE, R2, RELATIVE_RMSE, RMSE, mae, mse, r2, relative_rmse, rmse
from polytask.metrics._row_losses import (
    row_log_loss,
    row_multilabel_log_loss,
    row_poisson_deviance,
    row_squared_error,
)
from polytask.metrics._undefined import UndefinedMetric

metrics_by_name: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        MSE,
        RMSE,
        MAE,
        R2,
        RELATIVE_RMSE,
        ACCURACY,
        BALANCED_ACCURACY,
        F1,
        F1_MACRO,
        F1_MICRO,
        ROC_AUC,
        AVERAGE_PRECISION,
        LOG_LOSS,
        BRIER,
        QUADRATIC_KAPPA,
        ORDINAL_MAE,
        RANKING_LOSS,
        HAMMING_LOSS,
        MULTILABEL_LOG_LOSS,
        MULTILABEL_F1_MACRO,
        MULTILABEL_F1_MICRO,
        ROC_AUC_PER_LABEL,
        AVERAGE_PRECISION_PER_LABEL,
        POISSON_DEVIANCE,
    )
}

__all__ = [
    "ACCURACY",
    "AVERAGE_PRECISION",
    "AVERAGE_PRECISION_PER_LABEL",
    "BALANCED_ACCURACY",
    "BRIER",
    "F1",
    "F1_MACRO",
    "F1_MICRO",
    "HAMMING_LOSS",
    "LOG_LOSS",
    "MAE",
    "MSE",
    "MULTILABEL_F1_MACRO",
    "MULTILABEL_F1_MICRO",
    "MULTILABEL_LOG_LOSS",
    "ORDINAL_MAE",
    "POISSON_DEVIANCE",
    "QUADRATIC_KAPPA",
    "R2",
    "RANKING_LOSS",
    "RELATIVE_RMSE",
    "RMSE",
    "ROC_AUC",
    "ROC_AUC_PER_LABEL",
    "Metric",
    "UndefinedMetric",
    "accuracy",
    "auc_placements",
    "average_precision",
    "average_precision_per_label",
    "balanced_accuracy",
    "brier",
    "evaluate_metrics",
    "f1",
    "f1_macro",
    "f1_micro",
    "hamming_loss",
    "log_loss",
    "mae",
    "metrics_by_name",
    "mse",
    "multilabel_f1_macro",
    "multilabel_f1_micro",
    "multilabel_log_loss",
    "ordinal_mae",
    "poisson_deviance",
    "quadratic_kappa",
    "r2",
    "ranking_loss",
    "relative_rmse",
    "rmse",
    "roc_auc",
    "roc_auc_per_label",
    "row_log_loss",
    "row_multilabel_log_loss",
    "row_poisson_deviance",
    "row_squared_error",
]

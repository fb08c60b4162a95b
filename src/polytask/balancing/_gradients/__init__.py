"""The gradient of every task, or a mixture, as cheaply as can be: the graph divided, heads once, the trunk per task."""

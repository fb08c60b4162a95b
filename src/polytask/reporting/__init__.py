"""Reports: a comparison or a fit, told to people.

A result (the JSON-ready dict of ``polytask compare`` or ``polytask fit``) goes in; one HTML file without outside requests, a
PDF, Markdown, JSON, a table for the terminal, or one sentence comes out.

>>> gain = {"gain": 0.021, "low": 0.004, "high": 0.038, "verdict": "helped"}
>>> task = {"kind": "binary", "arms": {"together": {"skill": 0.31}, "alone": {"skill": 0.289}}, "gains": {"alone": gain}}
>>> tasks, mean = {"sold": task, "paid": task}, {"gains": {"alone": gain}}
>>> result = {"format": "polytask.comparison", "version": 1, "tasks": tasks, "mean": mean}
>>> summary_sentence(result)
'Learning together helped 2 of 2 tasks and harmed none; mean gain +2.1 points of skill [+0.4, +3.8].'
>>> comparison_html(result).startswith("<!doctype html>")
True
"""

from polytask.reporting._comparison_report import comparison_html, write_comparison_report
from polytask.reporting._fit_report import fit_html, write_fit_report
from polytask.reporting._fit_view import fit_sentence
from polytask.reporting._formats import FORMATS, format_of, render
from polytask.reporting._json_report import result_json
from polytask.reporting._label_curves import label_curve_lines
from polytask.reporting._markdown_report import comparison_markdown, fit_markdown
from polytask.reporting._pdf_report import comparison_pdf, fit_pdf
from polytask.reporting._report import write_report
from polytask.reporting._terminal import ComparisonTable, comparison_table
from polytask.reporting._terminal_fit import FitTable, fit_table, leaderboard_table
from polytask.reporting._words import summary_sentence

__all__ = [
    "FORMATS",
    "ComparisonTable",
    "FitTable",
    "comparison_html",
    "comparison_markdown",
    "comparison_pdf",
    "comparison_table",
    "fit_html",
    "fit_markdown",
    "fit_pdf",
    "fit_sentence",
    "fit_table",
    "format_of",
    "label_curve_lines",
    "leaderboard_table",
    "render",
    "result_json",
    "summary_sentence",
    "write_comparison_report",
    "write_fit_report",
    "write_report",
]

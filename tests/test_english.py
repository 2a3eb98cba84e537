"""Plain sentences in docstrings, comments and documents: none opens with a bare What, Whether, Which, Whose, Who or Of.

Such an opening has no subject ("What is left of it." for "The part that is left."), so a reader has to guess who does
what. A question, which ends in a question mark, may open so.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("catalina", "tests", "benchmarks", "bin", "examples")
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(file for folder in ("docs", "catalina", "tests", "examples") for file in (ROOT / folder).rglob("*.md")),
    ]
)

HEADLESS = re.compile(r"[*_(\"']*(what|whether|which|whose|who|whom|of)\b", re.IGNORECASE)
#: A sentence ends before white space and a capital, a name in code, or a bold word.
END_OF_SENTENCE = re.compile(r"(?<=[.!?])[\"')*]*\s+(?=[A-Z`*])")
PARAGRAPH = re.compile(r"\n\s*\n|\n\s*(?:[-*]|\d+\.) ")
LIST_ITEM = re.compile(r"(?:[-*+]|\d+\.)\s+")
#: A line with a comment that could have such an opening. Few files have one, and only those are worth a tokenizer.
CANDIDATE = re.compile(
    r"#:?\s*(?:.*[.!?][\"')*]*\s+)?[*_(\"']*(?:what|whether|which|whose|who|whom|of)\b", re.IGNORECASE
)
DIRECTIVE = re.compile(r"type: |noqa|fmt: |pragma: |!/")


def headless(text: str) -> list[str]:
    """The sentences of a text that open with a bare What, Whether, Which, Whose, Who or Of."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in PARAGRAPH.split("\n" + text.strip()))
    sentences = (sentence for paragraph in paragraphs for sentence in END_OF_SENTENCE.split(paragraph))
    return [sentence for sentence in sentences if HEADLESS.match(sentence) and not sentence.endswith("?")]


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every string that stands as a statement: docstrings, and strings below attributes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def comments(source: str) -> Iterator[tuple[int, str]]:
    """First line and text of every comment; lines below each other, in one column, are one comment."""
    first, last, column, text = 0, (0, 0), -1, ""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or DIRECTIVE.match(token.string.lstrip("#: ")):
            continue
        row, start = token.start
        stands_alone = not lines[row - 1][:start].strip()
        mark = 2 if token.string.startswith("#:") else 1
        if stands_alone and (row - 1, mark) == last and start == column:
            text += "\n" + token.string[mark:]
        else:
            if text:
                yield first, text
            first, text = row, token.string[mark:]
        last, column = (row, mark) if stands_alone else (0, 0), start
    if text:
        yield first, text


def prose(markdown: str) -> Iterator[tuple[int, str]]:
    """Line and text of every paragraph, list item, heading and table cell of a document, without blocks of code."""
    in_code, start, text = False, 0, ""
    for row, line in enumerate([*markdown.splitlines(), ""], 1):
        line = line.strip()
        begins = LIST_ITEM.match(line)
        if in_code or not line or begins or line.startswith(("```", "#", "|")):
            if text:
                yield start, text
            text = ""
        if line.startswith("```"):
            in_code = not in_code
        elif line.startswith("|") and not in_code:
            yield from ((row, cell.strip()) for cell in line.split("|") if cell.strip())
        elif line and not in_code:
            start = start if text else row
            text = f"{text} {line[begins.end() if begins else 0 :].lstrip('# ')}"
            if line.startswith("#"):
                yield row, text
                text = ""


@pytest.mark.parametrize("folder", SOURCES)
def test_docstrings_and_comments_are_plain_sentences(folder: str) -> None:
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        source = path.read_text("utf-8")
        texts = [*docstrings(source), *(comments(source) if CANDIDATE.search(source) else ())]
        for line, text in texts:
            found += [f"{path.relative_to(ROOT)}:{line}: {sentence}" for sentence in headless(text)]
    assert found == []


@pytest.mark.parametrize("document", [str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_documents_are_plain_sentences(document: str) -> None:
    blocks = prose((ROOT / document).read_text("utf-8"))
    assert [f"{document}:{line}: {sentence}" for line, text in blocks for sentence in headless(text)] == []


def test_openings_are_found_wherever_a_sentence_begins() -> None:
    source = '''
"""Of a client. What it sent."""
#: Whether it is there,
#: or not. Who
x = 1  # what is left
'''
    assert [headless(text) for _, text in docstrings(source)] == [["Of a client.", "What it sent."]]
    assert [headless(text) for _, text in comments(source)] == [
        ["Whether it is there, or not.", "Who"],
        ["what is left"],
    ]
    assert headless("It says what is left. Who asks? The client, of course.") == []


def test_openings_are_found_in_every_part_of_a_document() -> None:
    document = "# What is new\n\nText\nover lines. **What** it is.\n\n- who may\n\n| of it | all |\n\n```sh\nwho\n```\n"
    assert [headless(text) for _, text in prose(document)] == [
        ["What is new"], ["**What** it is."], ["who may"], ["of it"], [],
    ]  # fmt: skip

# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of GRUB's script: quoting, variables, and the conditions that can be decided without running it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

__all__ = ("Word", "decide", "expand", "statements")

MAX_EXPANDED = 64 * 1024

_PIECE = r"'[^']*'?|\"(?:[^\"\\]|\\.)*\"?|\\.|\$\{\w+\}|[^\s;'\"\\{}]+|[{}](?=[^\s;])"
_TOKEN = re.compile(
    rf"(?P<end>[\n;])|(?P<comment>#[^\n]*)|(?P<brace>[{{}}](?=[\s;]|$))|(?P<word>(?:{_PIECE})+)|(?P<rest>.)", re.DOTALL
)
_PARTS = re.compile(r"'([^']*)'?|\"((?:[^\"\\]|\\.)*)\"?|\\(.)|\$\{?(\w+)\}?|([^'\"\\$]+|\$)", re.DOTALL)
#: what only the running GRUB knows
_UNKNOWN = re.compile(r"\$\{?(?:grub_platform|grub_cpu|prefix|root|cmdpath|config_directory|net_\w+|fw_\w+)\b")


@dataclasses.dataclass(frozen=True)
class Word:
    """A word as it is written."""

    raw: str


def statements(text: str) -> t.Iterator[list[Word]]:
    """The commands of a script, each in words; an opening brace ends a statement as a line's end does."""
    words: list[Word] = []
    for token in _TOKEN.finditer(text.replace("\\\n", " ")):
        kind, raw = token.lastgroup, token.group()
        if kind == "word":
            words.append(Word(raw))
        elif kind == "brace" and (raw == "{" or not words):
            yield [*words, Word(raw)]
            words = []
        elif kind == "brace":
            words.append(Word(raw))
        elif kind == "end" and words:
            yield words
            words = []
    if words:
        yield words


def expand(word: Word, variables: t.Mapping[str, str]) -> list[str]:
    """A word without quotes, its variables put in; one outside quotes may become several words, or none."""
    found, quoted, split_at = [""], False, False
    for single, double, escaped, variable, plain in _PARTS.findall(word.raw):
        if variable:
            parts = variables.get(variable, "").split() or [""]
            found[-1] += parts[0]
            found.extend(parts[1:])
            split_at = True
        else:
            quoted = quoted or not plain
            found[-1] += single or escaped or plain or _in_quotes(double, variables)
        if sum(map(len, found)) > MAX_EXPANDED:
            break
    return found if quoted or not split_at or found != [""] else []


def _in_quotes(text: str, variables: t.Mapping[str, str]) -> str:
    text = re.sub(r"\$\{?(\w+)\}?", lambda found: variables.get(found[1], "")[:MAX_EXPANDED], text[:MAX_EXPANDED])
    return re.sub(r"\\([\"\\$])", r"\1", text)


def decide(words: t.Sequence[Word], variables: t.Mapping[str, str]) -> bool | None:
    """Whether a condition holds; None where only the running GRUB can say."""
    if not words or words[0].raw not in ("[", "test") or any(_UNKNOWN.search(word.raw) for word in words):
        return None
    inner = words[1:-1] if words[0].raw == "[" and words[-1].raw == "]" else words[1:]
    given = [" ".join(expand(word, variables)) for word in inner]
    results: list[bool | None] = []
    for part in _split(given, "-o"):
        tests = [_test(one) for one in _split(part, "-a")]
        results.append(False if False in tests else None if None in tests else True)
    return True if True in results else None if None in results else False


def _split(given: t.Sequence[str], at: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in given:
        if word == at:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _test(given: list[str]) -> bool | None:
    if given[:1] == ["!"]:
        result = _test(given[1:])
        return None if result is None else not result
    if len(given) < 2:
        return bool(given and given[0])
    if len(given) == 2 and given[0] in ("-n", "-z"):
        return bool(given[1]) == (given[0] == "-n")
    if len(given) == 3 and given[1] in ("=", "==", "!="):
        return (given[0] == given[2]) == (given[1] != "!=")
    return None

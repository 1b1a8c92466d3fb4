# SPDX-License-Identifier: Apache-2.0
"""A small site generator to record: where does the time of a build go?

    python examples/sitegen.py [ARTICLES]

Writes articles, the same ones each time, turns their markup into pages, highlights code, checks
links, and builds a search index, a feed and lists of related articles, all in memory. Prints what
it built. Two things to find: one function takes far more time than it should, and one link in
eight leads to a draft, which has no page.
"""

import html
import json
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import Template
from xml.etree import ElementTree

import pyusdt

TOPICS = ["probe", "tracer", "kernel", "thread", "event", "stack", "watcher", "filter", "page"]
WORDS = [*TOPICS, "a", "the", "every", "fires", "waits", "reads", "writes", "returns", "of", "in"]
CODE = "def answer(n):\n    # half of it\n    return [n * 21 for n in range(2)]\n"
TOKEN = re.compile(r"(?P<comment>#.*)|(?P<keyword>\b(?:def|return|for|in)\b)|(?P<number>\d+)")
INLINE = re.compile(r"\*(?P<strong>[^*]+)\*|`(?P<code>[^`]+)`|\[(?P<link>[^]]+)\]")
PAGE = Template("<title>$title</title><main>$body</main><nav>$related</nav>\n")


class BrokenLinkError(Exception):
    """A link to an article that has no page."""


@dataclass
class Article:
    number: int
    topic: str
    markup: str

    @property
    def title(self) -> str:
        return f"{self.topic} {self.number}"

    @property
    def is_draft(self) -> bool:
        return self.number % 8 == 0


class Writer:
    """Makes up articles."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def article(self, number: int) -> Article:
        blocks = [self.block(number) for _ in range(24)]
        return Article(number, self._dice.choice(TOPICS), "\n\n".join(blocks))

    def block(self, number: int) -> str:
        kind = self._dice.randrange(4)
        if kind == 0:
            return "```\n" + CODE + CODE.rstrip()
        if kind == 1:
            return "\n".join(f"{'  ' * depth}- {self.sentence()}" for depth in (0, 1, 2, 1, 0))
        return f"{self.sentence()} *{self.sentence()}* [{number + self._dice.randrange(-4, 4)}]"

    def sentence(self) -> str:
        return " ".join(self._dice.choices(WORDS, k=9))


class Renderer:
    """Turns markup into HTML: paragraphs, nested lists, code."""

    def __init__(self, known: set[int]) -> None:
        self._known = known
        self.broken = 0

    def render(self, markup: str) -> str:
        return "\n".join(self.block(block) for block in markup.split("\n\n"))

    def block(self, text: str) -> str:
        if text.startswith("```"):
            return self.code(text[4:])
        if text.startswith("- "):
            return self.items(text.split("\n"), 0)
        return f"<p>{self.inline(text)}</p>"

    def items(self, lines: list[str], depth: int) -> str:
        """The lines of this depth; those below one go into a list of their own, after it."""
        parts = []
        while lines:
            here = (len(lines[0]) - len(lines[0].lstrip())) // 2
            if here < depth:
                break
            if here > depth:
                parts.append(self.items(lines, here))
            else:
                parts.append(f"<li>{self.inline(lines.pop(0).strip('- '))}</li>")
        return f"<ul>{''.join(parts)}</ul>"

    def inline(self, text: str) -> str:
        return INLINE.sub(self.span, html.escape(text))

    def span(self, match: re.Match[str]) -> str:
        if match["link"] is None:
            return f"<{match.lastgroup}>{match[match.lastindex or 0]}</{match.lastgroup}>"
        try:
            return self.link(int(match["link"]))
        except BrokenLinkError:
            self.broken += 1
            pyusdt.mark("broken link")
            return "<s>a draft</s>"

    def link(self, number: int) -> str:
        if number not in self._known:
            raise BrokenLinkError(number)
        return f'<a href="/{number}">{number}</a>'

    def code(self, text: str) -> str:
        return f"<pre>{''.join(map(self.highlight, text.splitlines()))}</pre>"

    def highlight(self, line: str) -> str:
        return TOKEN.sub(lambda m: f"<i class={m.lastgroup}>{m[0]}</i>", line)


class Index:
    """Which words are in which articles, and which articles of a topic are alike."""

    def __init__(self, articles: list[Article]) -> None:
        self._articles = articles
        self._counts = {article.number: Counter(words(article.markup)) for article in articles}

    def related(self, article: Article) -> list[Article]:
        """The articles of the same topic, the most alike first, which is the article itself."""
        others = [other for other in self._articles if other.topic == article.topic]
        return sorted(others, key=lambda other: -self.likeness(article, other))

    def likeness(self, one: Article, other: Article) -> float:
        return cosine(self._counts[one.number], self._counts[other.number])

    def to_json(self) -> str:
        return json.dumps({number: sorted(counts) for number, counts in self._counts.items()})


def words(text: str) -> Iterator[str]:
    for match in re.finditer(r"[a-z]+", text.lower()):
        yield stem(match[0])


def stem(word: str) -> str:
    for ending in ("es", "s", "ed"):
        if len(word) > 4 and word.endswith(ending):
            return word.removesuffix(ending)
    return word


def cosine(one: Counter[str], other: Counter[str]) -> float:
    """How alike; the lengths are computed again for each pair, which is slow."""
    return dot(one, other) / (length(one) * length(other))


def dot(one: Counter[str], other: Counter[str]) -> int:
    return sum(one[word] * other[word] for word in one)


def length(counts: Counter[str]) -> float:
    return math.sqrt(dot(counts, counts))


def feed(articles: Iterable[Article]) -> str:
    root = ElementTree.Element("feed")
    for article in articles:
        entry = ElementTree.SubElement(root, "entry", id=str(article.number))
        ElementTree.SubElement(entry, "title").text = article.title
    return ElementTree.tostring(root, encoding="unicode")


def build(count: int) -> str:
    writer = Writer(seed=42)
    written = [writer.article(number) for number in pyusdt.steps(range(count), "write")]
    articles = [article for article in written if not article.is_draft]
    with pyusdt.step("index"):
        index = Index(articles)
    renderer = Renderer({article.number for article in articles})
    pages = [page(article, renderer, index) for article in pyusdt.steps(articles, "page")]
    size = sum(map(len, [*pages, index.to_json(), feed(articles)]))
    return f"{len(pages)} pages, {size // 1000} kB, {renderer.broken} links to drafts"


def page(article: Article, renderer: Renderer, index: Index) -> str:
    body = renderer.render(article.markup)
    related = " ".join(renderer.link(other.number) for other in index.related(article)[1:4])
    return PAGE.substitute(title=html.escape(article.title), body=body, related=related)


if __name__ == "__main__":
    print(build(int(sys.argv[1]) if len(sys.argv) > 1 else 250))

"""``shieldwire bench kernels``: what the text verdict costs, beside peers that only match.

All figures of a comparison come from one run, in turns. The lexicon of 23,000 terms is the shipped one and made-up
terms (``bench.corpus``). Every answer is checked before it is timed.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from bench import corpus, peers, probes
from bench.corpus import Language, Message
from bench.reads import ROUTE, payload, reads
from bench.report import BenchError
from bench.timing import Contender, us_per_call
from filters.model.scoring import Model
from filters.reader import Reader
from filters.scanner import Scanner
from gateway.codecs import RequestFields, codec_of
from gateway.settings import MIB
from gateway.wire.read_kernel import CLEAN, LEAVES, VERDICT, ReadJudge
from gateway.wire.read_plan import plan_of

TERMS = 23_000
CHARACTERS = (10, 30, 100, 300, 1_000, 3_000, 10_000)
TERM_COUNTS = (1_000, 5_000, 20_000, 50_000, 100_000, 200_000)
FRESH_PROCESSES = 5
READ_CHARACTERS = (24, 30)
FRAMES_A_READ = (16, 1)

MAX_MISJUDGED = 0.01
"""The share of messages that the scanner may judge otherwise than they were made: two words may meet as a term."""


def measure() -> dict[str, float]:
    """All metrics of this bench, by name. Takes about a minute."""
    scanner = Scanner.compile(corpus.lexicon(TERMS))
    scanner.warm_up()
    messages = corpus.messages()
    return {
        **verdicts(scanner, messages, ""),
        **verdicts(scanner, corpus.messages(language=Language.ENGLISH), "_english"),
        **read_kernel(scanner, corpus.messages(lengths=READ_CHARACTERS)),
        **curve_of_characters(scanner, messages),
        **curve_of_terms(messages),
        **fresh(),
    }


def verdicts(scanner: Scanner, messages: Sequence[Message], suffix: str) -> dict[str, float]:
    """The verdict on terms in all views and private data, with the content model, and peers on the same messages."""
    terms = [term.text for term in corpus.lexicon(TERMS).terms]
    raw, dfa, folded = peers.ahocorasick(terms), peers.ahocorasick(terms, dfa=True), peers.folded_ahocorasick(terms)
    _check_answers(scanner, messages, (raw, dfa, folded))
    reader = Reader(scanner, Model.shipped())
    reader.warm_up()
    clean = [message for message in messages if not message.planted]
    dirty = [message for message in messages if message.planted]
    us = us_per_call(
        {
            "verdict": Contender(scanner.scan, _fresh(messages)),
            "with_model": Contender(reader.scan, _fresh(messages)),
            "clean": Contender(scanner.scan, _fresh(clean)),
            "dirty": Contender(scanner.scan, _fresh(dirty)),
            "ahocorasick": Contender(raw, _fresh(messages)),
            "dfa": Contender(dfa, _fresh(messages)),
            "folded": Contender(folded, _fresh(messages)),
        }
    )
    return {
        f"verdict_vs_ahocorasick{suffix}": us["verdict"] / us["ahocorasick"],
        f"verdict_vs_folded_ahocorasick{suffix}": us["verdict"] / us["folded"],
        f"verdict_vs_ahocorasick_dfa{suffix}": us["verdict"] / us["dfa"],
        f"verdict_with_model_vs_ahocorasick{suffix}": us["with_model"] / us["ahocorasick"],
        f"verdict_us{suffix}": us["verdict"],
        f"verdict_with_model_us{suffix}": us["with_model"],
        f"verdict_clean_us{suffix}": us["clean"],
        f"verdict_with_hit_us{suffix}": us["dirty"],
        f"ahocorasick_us{suffix}": us["ahocorasick"],
        f"ahocorasick_dfa_us{suffix}": us["dfa"],
        f"folded_ahocorasick_us{suffix}": us["folded"],
    }


def read_kernel(scanner: Scanner, messages: Sequence[Message]) -> dict[str, float]:
    """The whole-read kernel for one message, at 16 frames a read and at one, beside the same work by codec and scan."""
    plan = plan_of(ROUTE, MIB)
    codec = codec_of(ROUTE)
    request = RequestFields("viewer", {}, {}, {})
    if plan is None or codec is None:
        raise BenchError("the bench's own route has no plan")
    judge = ReadJudge(scanner, plan)
    batches = {count: reads(messages, count) for count in FRAMES_A_READ}
    leaving = [_check_verdicts(judge, batch, scanner, messages) for batch in batches.values()]

    def portable(content: str) -> None:
        message = codec.decode(content, request)
        if message is not None:
            scanner.scan(message.event.text)

    payloads = [payload(number, message).decode() for number, message in enumerate(messages)]
    contenders = {f"read_kernel_us_{count}": Contender(judge.judge, _copies(batches[count])) for count in FRAMES_A_READ}
    us = us_per_call({**contenders, "codec_and_scan_us": Contender(portable, _encoded(payloads))})
    return {
        **{f"read_kernel_us_{count}": us[f"read_kernel_us_{count}"] / count for count in FRAMES_A_READ},
        "read_kernel_leaving_share": max(leaving) / len(messages),
        "codec_and_scan_us": us["codec_and_scan_us"],
    }


def curve_of_characters(scanner: Scanner, messages: Sequence[Message]) -> dict[str, float]:
    """Cost per character: the same clean text, cut into pieces of ever more characters."""
    text = "，".join(message.text for message in messages if not scanner.scan(message.text).hits)
    pieces = {length: _pieces(text, length) for length in CHARACTERS}
    us = us_per_call({str(length): Contender(scanner.scan, _encoded(pieces[length])) for length in CHARACTERS})
    curve = {f"us_per_char_at_{length}": us[str(length)] / length for length in CHARACTERS}
    return {"us_per_char_ratio_10_10000": max(curve.values()) / min(curve.values()), **curve}


def curve_of_terms(messages: Sequence[Message]) -> dict[str, float]:
    """Cost per clean message with ever longer lexicons."""
    scanners = {count: Scanner.compile(corpus.lexicon(count)) for count in TERM_COUNTS}
    largest = scanners[TERM_COUNTS[-1]]
    clean = [message for message in messages if not largest.scan(message.text).hits]
    us = us_per_call({str(count): Contender(scanner.scan, _fresh(clean)) for count, scanner in scanners.items()})
    curve = {f"us_at_{count}_terms": us[str(count)] for count in TERM_COUNTS}
    return {"us_ratio_1000_200000_terms": max(curve.values()) / min(curve.values()), **curve}


def fresh() -> dict[str, float]:
    """What only a fresh process shows."""
    first = [probes.in_fresh_process("first_message", TERMS) for _ in range(FRESH_PROCESSES)]
    return {
        **probes.in_fresh_process("heap", TERMS),
        "compile_200k_s": probes.in_fresh_process("compile_lexicon", 200_000)["compile_s"],
        "first_message_us": statistics.median(one["first_us"] for one in first),
        "thousandth_message_us": statistics.median(one["thousandth_us"] for one in first),
    }


def _check_answers(scanner: Scanner, messages: Sequence[Message], matchers: Sequence[peers.Match]) -> None:
    """Every matcher finds every planted term; the scanner judges as the corpus was made. Raises ``BenchError``."""
    for message in messages:
        if message.planted and not all(match(message.text) for match in matchers):
            raise BenchError(f"a peer misses {message.planted!r} in {message.text!r}")
    misjudged = [message for message in messages if bool(scanner.scan(message.text).hits) != bool(message.planted)]
    if len(misjudged) > MAX_MISJUDGED * len(messages):
        raise BenchError(f"the scanner misjudges {len(misjudged)} of {len(messages)} messages: {misjudged[0].text!r}")


def _check_verdicts(judge: ReadJudge, batch: Sequence[bytes], scanner: Scanner, messages: Sequence[Message]) -> int:
    """How many frames leave the lane. Raises ``BenchError`` where one stays that the scanner finds something in."""
    verdicts = [verdict for read in batch for verdict in judge.judge(read)[:, VERDICT].tolist()]
    for verdict, message in zip(verdicts, messages, strict=True):
        if verdict != LEAVES and (verdict != CLEAN or scanner.scan(message.text).hits):
            raise BenchError(f"the read kernel misjudges {message.text!r}")
    return verdicts.count(LEAVES)


def _fresh(messages: Sequence[Message]) -> Callable[[], list[str]]:
    return _encoded([message.text for message in messages])


def _encoded(texts: Sequence[str]) -> Callable[[], list[str]]:
    """Makes new strings of the same texts, as a decoder would."""
    utf8 = [text.encode() for text in texts]
    return lambda: [text.decode() for text in utf8]


def _copies(batch: Sequence[bytes]) -> Callable[[], list[bytes]]:
    return lambda: [bytes(bytearray(read)) for read in batch]


def _pieces(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text) - length + 1, length)]

"""Was the promise held? What callers were promised, what the server says and what desktops got, compared."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from chaos.orders import TOKEN, Order

ENDED = ("success", "task_failed", "error", "cancelled")


@dataclass(frozen=True, slots=True)
class Told:
    """A run as the server tells it in the end."""

    id: str
    number: int
    status: str
    reasons: tuple[str, ...] = ()
    desktop: str = ""
    """Name of the machine it ran on; empty when it never had one."""

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a number, as a desktop got it."""

    number: int
    part: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What broke the promise, each a sentence."""

    lost: tuple[str, ...]
    """Runs that were accepted and are not there, or succeeded without having typed everything."""

    doubled: tuple[str, ...]
    """Runs that are there twice, or without an order, or typed something twice."""

    stuck: tuple[str, ...]
    """Runs that have not ended."""

    mixed: tuple[str, ...]
    """Desktops that got something out of order, or from two runs at a time, or for nobody."""

    leaked: tuple[str, ...]
    """Secrets in a log."""

    @property
    def is_promise_held(self) -> bool:
        return not any(found for _, found in self.findings)

    @property
    def findings(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The sentences by their word."""
        return tuple((field.name, getattr(self, field.name)) for field in fields(self))


def tokens_of(typed: bytes) -> list[Token]:
    """The parts of numbers in what a desktop got, in order. What was typed in part is none."""
    return [Token(int(number), int(part)) for number, part in TOKEN.findall(typed)]


def judge(
    orders: Mapping[int, Order],
    accepted: Mapping[int, str],
    told: Sequence[Told],
    typed: Mapping[str, bytes],
    logged: str = "",
) -> Verdict:
    """The verdict over all orders by number, the ids of the accepted ones, the server's runs, the bytes that
    each desktop got, and all that the servers logged."""
    tokens = {desktop: tokens_of(content) for desktop, content in typed.items()}
    runs = {run.number: run for run in told}
    return Verdict(
        lost=(*_missing_runs(accepted, runs), *_missing_tokens(orders, told, tokens)),
        doubled=(*_doubled_runs(told), *_unwanted_runs(orders, told), *_doubled_tokens(tokens)),
        stuck=tuple(f"run {run.number} ({run.id}) is {run.status}" for run in told if not run.has_ended),
        mixed=tuple(one for desktop, got in tokens.items() for one in _mixed(orders, runs, desktop, got)),
        leaked=tuple(f"the secret of run {one.number}" for one in orders.values() if _is_in(logged, one)),
    )


def _is_in(logged: str, order: Order) -> bool:
    return bool(order.secret) and order.secret in logged


def _missing_runs(accepted: Mapping[int, str], runs: Mapping[int, Told]) -> Iterator[str]:
    for number, run_id in accepted.items():
        if number not in runs or runs[number].id != run_id:
            yield f"run {number} was accepted as {run_id}, and is not there"


def _missing_tokens(
    orders: Mapping[int, Order], told: Sequence[Told], tokens: Mapping[str, Sequence[Token]]
) -> Iterator[str]:
    for run in told:
        if run.status == "success" and run.number in orders:
            got = {token.part for token in tokens.get(run.desktop, ()) if token.number == run.number}
            missing = sorted(set(range(1, orders[run.number].kind.parts + 1)) - got)
            if missing:
                yield f"run {run.number} ({run.id}) succeeded; {run.desktop} never got its parts {missing}"


def _doubled_runs(told: Sequence[Told]) -> Iterator[str]:
    for number, count in Counter(run.number for run in told).items():
        if count > 1:
            yield f"there are {count} runs of the one order {number}"


def _unwanted_runs(orders: Mapping[int, Order], told: Sequence[Told]) -> Iterator[str]:
    for run in told:
        if run.number not in orders:
            yield f"run {run.number} ({run.id}) is there, and its order was refused"


def _doubled_tokens(tokens: Mapping[str, Sequence[Token]]) -> Iterator[str]:
    for token, count in Counter(token for got in tokens.values() for token in got).items():
        if count > 1:
            yield f"run {token.number} typed its part {token.part} {count} times"


def _mixed(
    orders: Mapping[int, Order], runs: Mapping[int, Told], desktop: str, tokens: Sequence[Token]
) -> Iterator[str]:
    parts: dict[int, list[int]] = defaultdict(list)
    for token, before in zip(tokens, (None, *tokens), strict=False):
        if before is not None and before.number != token.number and token.number in parts:
            yield f"{desktop} got run {token.number} while it also got run {before.number}"
        parts[token.number].append(token.part)
    for number, got in parts.items():
        if number not in runs:
            yield f"{desktop} got {number}, which is of no run"
        elif runs[number].desktop != desktop:
            yield f"{desktop} got run {number}, which is told to be on {runs[number].desktop or 'none'}"
        if got != list(range(1, len(got) + 1)) and len(set(got)) == len(got):
            yield f"{desktop} got the parts of run {number} in the order {got}"
    yield from _sessions_out_of_order(orders, desktop, list(parts))


def _sessions_out_of_order(
    orders: Mapping[int, Order], desktop: str, numbers: Sequence[int]
) -> Iterator[str]:
    by_group: dict[int, list[int]] = defaultdict(list)
    for number in numbers:
        group = orders[number].group if number in orders else None
        if group is not None:
            by_group[group].append(number)
    for group, got in by_group.items():
        if got != sorted(got):
            yield f"{desktop} got the runs of session {group} in the order {got}"

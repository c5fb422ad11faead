"""A run's secrets: sealed until the moment of typing, and taken out of everything that is kept."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.prompts import Kind, PathError, Placeholder, fill_secrets, parts, path_text
from cyberdesk_server.executor.signals import RunFails
from cyberdesk_server.ports import SecretContext, SecretUnreadable, Vault

Json = TypeVar("Json", bound=JsonValue)

SHORTEST_INSIDE_A_WORD = 4
"""A secret shorter than this many characters is masked where it stands alone only: taken out of the middle of
words, `ab` would make every text unreadable and say more than it hides."""


class RunSecrets:
    """The secrets of one run, by name. Plaintexts are opened for one call at a time and never kept here."""

    def __init__(
        self, sealed: Mapping[str, tuple[SecretId, bytes]], vault: Vault, organization_id: OrganizationId
    ) -> None:
        self._sealed = sealed
        self._vault = vault
        self._organization_id = organization_id

    def __repr__(self) -> str:
        return f"RunSecrets({', '.join(sorted(self._sealed))})"

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._sealed)

    async def fill(self, template: str) -> str:
        """A template that `prompts.fill` has left, with its secrets in it. For the desktop's eyes only."""
        used = secrets_in(template)
        values = {name: await self._open(name) for name in {one.name for one in used} & self.names}
        structured = {one.name for one in used if one.path}
        try:
            return fill_secrets(
                template,
                {name: _parsed(value) if name in structured else value for name, value in values.items()},
            )
        except PathError as error:
            # The error's own words quote the value.
            raise RunFails(f"{error.placeholder} goes into a secret that has no such parts") from None

    async def mask(self, value: Json) -> Json:
        """The value with every plaintext in it replaced by its `{$name}`."""
        if not self._sealed:
            return value
        plaintexts = [leaf for name in self._sealed for leaf in _leaves(name, await self._open(name))]
        masks = [_Mask(*leaf) for leaf in sorted(plaintexts, key=lambda leaf: -len(leaf[1])) if leaf[1].strip()]
        masked = _masked(value, masks)
        return masked  # type: ignore[return-value]  # same shape, texts replaced

    async def mask_memo(self, memo: str | None) -> str | None:
        """A model's memo without plaintexts; one that is JSON stays JSON with the same keys."""
        if memo is None or not self._sealed:
            return memo
        try:
            value: JsonValue = json.loads(memo)
        except ValueError:
            return await self.mask(memo)
        masked = await self.mask(value)
        return memo if masked == value else json.dumps(masked, ensure_ascii=False)

    async def _open(self, name: str) -> str:
        secret_id, sealed = self._sealed[name]
        try:
            return await self._vault.open(sealed, SecretContext(self._organization_id, secret_id))
        except SecretUnreadable as error:
            raise RunFails(f"the secret {{${name}}} cannot be opened: {error}") from error


def secrets_in(template: str) -> frozenset[Placeholder]:
    """The secrets a text asks for."""
    return frozenset(
        part for part in parts(template) if isinstance(part, Placeholder) and part.kind is Kind.SECRET
    )


class _Mask:
    """Replaces one plaintext."""

    def __init__(self, name: str, plaintext: str) -> None:
        self._plaintext = plaintext
        self._name = name
        pattern = re.escape(plaintext)
        if len(plaintext) < SHORTEST_INSIDE_A_WORD:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        self._pattern = re.compile(pattern)

    def text(self, text: str) -> str:
        return self._pattern.sub(lambda _: self._name, text)

    def is_number(self, value: float) -> bool:
        return self._plaintext == json.dumps(value)

    @property
    def name(self) -> str:
        return self._name


def _masked(value: JsonValue, masks: Sequence[_Mask]) -> JsonValue:
    match value:
        case str():
            for mask in masks:
                value = mask.text(value)
            return value
        case bool() | None:
            return value
        case int() | float():
            return next((mask.name for mask in masks if mask.is_number(value)), value)
        case Mapping():
            return {str(_masked(key, masks)): _masked(item, masks) for key, item in value.items()}
        case _:
            return [_masked(item, masks) for item in value]


def _parsed(plaintext: str) -> JsonValue:
    """A structured secret is sealed as its JSON text."""
    try:
        parsed: JsonValue = json.loads(plaintext)
    except ValueError:
        return plaintext
    return parsed if isinstance(parsed, Mapping | list) else plaintext


def _leaves(name: str, plaintext: str) -> Iterator[tuple[str, str]]:
    """Every text of a secret by its placeholder: itself, and the parts of a structured one."""

    def walk(value: JsonValue, path: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
        match value:
            case bool() | None:
                return
            case str() | int() | float():
                text = value if isinstance(value, str) else json.dumps(value)
                yield f"{{${path_text(name, path)}}}", text
            case Mapping():
                for key, item in value.items():
                    yield from walk(item, (*path, key))
            case _:
                for index, item in enumerate(value):
                    yield from walk(item, (*path, index))

    yield f"{{${name}}}", plaintext
    parsed = _parsed(plaintext)
    if not isinstance(parsed, str):
        yield from walk(parsed, ())

"""A run's secrets: sealed until the moment of typing, and taken out of everything that is kept."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar, cast

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import (
    Kind,
    PathError,
    Placeholder,
    escape,
    fill_secrets,
    parts,
    path_text,
    value_text,
)
from cyberdesk_server.domain.steps import Step
from cyberdesk_server.executor.signals import RunFails
from cyberdesk_server.ports import SecretContext, SecretUnreadable, Vault, VaultUnavailable

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
        values = {
            name: await self._open(name) for name in {one.name for one in secrets_in(template)} & self.names
        }
        try:
            return fill_secrets(template, values)
        except PathError as error:
            # The error's own words quote the value.
            raise RunFails(f"{error.placeholder} goes into a secret that has no such parts") from None

    async def mask(self, value: Json) -> Json:
        """The value with every plaintext in it replaced by its `{$name}`."""
        return cast(Json, _masked(value, await self._masks()))

    async def mask_arguments(self, arguments: JsonObject, *, typed: Collection[str] = ()) -> JsonObject:
        """The arguments of a tool call without plaintexts.

        In those that are `typed` a plaintext becomes the secret, `{$name}`; in any other, where secrets are
        refused, these letters. Their own numbers stay: they are points and seconds, and a click must not
        miss because a PIN is its x.
        """
        masks = await self._masks()
        literal = [mask.as_letters() for mask in masks]
        return {
            name: _masked(item, masks if name in typed else literal, hides_numbers=isinstance(item, Mapping))
            for name, item in arguments.items()
        }

    async def mask_memo(self, memo: str | None) -> str | None:
        """A model's memo without plaintexts; one that is JSON stays JSON.

        Its numbers stay too: they say where the model is.
        """
        if memo is None or not self._sealed:
            return memo
        try:
            value: JsonValue = json.loads(memo)
        except ValueError:
            return await self.mask(memo)
        masked = _masked(value, await self._masks(), hides_numbers=False)
        return memo if masked == value else json.dumps(masked, ensure_ascii=False)

    async def _masks(self) -> Sequence["_Mask"]:
        """The longest plaintext first, so that none is hidden only in part."""
        plaintexts = [leaf for name in self._sealed for leaf in _leaves(name, await self._open(name))]
        return [
            _Mask(*leaf) for leaf in sorted(plaintexts, key=lambda leaf: -len(leaf[1])) if leaf[1].strip()
        ]

    async def _open(self, name: str) -> JsonValue:
        secret_id, sealed = self._sealed[name]
        try:
            plaintext = await self._vault.open(sealed, SecretContext(self._organization_id, secret_id))
        except (SecretUnreadable, VaultUnavailable) as error:
            raise RunFails(f"the secret {{${name}}} cannot be opened: {error}") from error
        value: JsonValue = json.loads(plaintext)  # what is sealed is JSON: a secret may be an object
        return value


def secrets_in(template: str) -> frozenset[Placeholder]:
    """The secrets a text asks for."""
    return frozenset(
        part for part in parts(template) if isinstance(part, Placeholder) and part.kind is Kind.SECRET
    )


def types_a_secret(step: Step) -> bool:
    """True for a step that typed a secret, or was to."""
    text = step.call.arguments.get("text")
    return step.call.tool == "type" and isinstance(text, str) and bool(secrets_in(text))


class _Mask:
    """Replaces one plaintext."""

    def __init__(self, name: str, plaintext: str) -> None:
        self._plaintext = plaintext
        self._name = name
        pattern = re.escape(plaintext)
        if len(plaintext) < SHORTEST_INSIDE_A_WORD:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        self._pattern = re.compile(pattern)

    def as_letters(self) -> "_Mask":
        """One for templates, in which its name is no secret but a text."""
        return _Mask(escape(self._name), self._plaintext)

    def text(self, text: str) -> str:
        return self._pattern.sub(lambda _: self._name, text)

    def is_number(self, value: float) -> bool:
        return self._plaintext == json.dumps(value)

    @property
    def name(self) -> str:
        return self._name


def _masked(value: JsonValue, masks: Sequence[_Mask], *, hides_numbers: bool = True) -> JsonValue:
    match value:
        case str():
            for mask in masks:
                value = mask.text(value)
            return value
        case bool() | None:
            return value
        case int() | float():
            hiding = masks if hides_numbers else ()
            return next((mask.name for mask in hiding if mask.is_number(value)), value)
        case Mapping():
            return {
                str(_masked(key, masks)): _masked(item, masks, hides_numbers=hides_numbers)
                for key, item in value.items()
            }
        case _:
            return [_masked(item, masks, hides_numbers=hides_numbers) for item in value]


def _leaves(name: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    """Every text of a secret by its placeholder: what typing it would type, and each part of a structured
    one."""

    def walk(value: JsonValue, path: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
        match value:
            case bool() | None:
                return
            case Mapping():
                for key, item in value.items():
                    yield from walk(item, (*path, key))
            case list():
                for index, item in enumerate(value):
                    yield from walk(item, (*path, index))
        yield f"{{${path_text(name, path)}}}", value_text(value)

    yield from walk(value, ())

"""The vault and the master keys that the settings choose."""

import base64
import binascii
import secrets
from collections.abc import Sequence

from pydantic import SecretStr

from cyberdesk_server.adapters.data_folder import DataFolder, write_private_file
from cyberdesk_server.adapters.vault import (
    AppRole,
    BasisTheoryKeeper,
    EnvelopeVault,
    HashiCorpKeeper,
    KeptOutside,
    MasterKey,
    Token,
    VaultServer,
)
from cyberdesk_server.adapters.vault.outside import Keeper
from cyberdesk_server.ports import Clock
from cyberdesk_server.settings import BadSetting, Settings

KEY_FILE = "master.key"
FORMER_KEY_FILE = "master.key.former"
"""The key before, from the moment it is changed until no secret is sealed with it any more."""

BASIS_THEORY_URL = "https://api.basistheory.com"


def master_keys(settings: Settings, folder: DataFolder) -> tuple[MasterKey, ...]:
    """The key that seals, and those that only open. Raises `BadSetting`, `DataFolderUnusable`."""
    return *(given_master_key(settings) or _keys_in(folder)), *other_master_keys(settings)


def other_master_keys(settings: Settings) -> tuple[MasterKey, ...]:
    """The keys that only open. Raises `BadSetting`."""
    return _keys_of("other_master_keys", settings.other_master_keys)


def given_master_key(settings: Settings) -> tuple[MasterKey, ...]:
    """The one key of `master_key`; none without that setting. Raises `BadSetting`."""
    keys = _keys_of("master_key", settings.master_key)
    if len(keys) > 1:
        raise BadSetting("master_key: must be one key")
    return keys


def change_key_file(folder: DataFolder) -> None:
    """Put a new key into the folder; the one before still opens. A change under way goes on."""
    key, former = folder.path / KEY_FILE, folder.path / FORMER_KEY_FILE
    current = folder.secret(KEY_FILE)
    if not former.exists():
        write_private_file(former, current)
    if former.read_bytes() == current:  # broken off in between
        write_private_file(key, secrets.token_bytes(len(current)))


def forget_former_key(folder: DataFolder) -> None:
    """No secret is sealed with it any more."""
    (folder.path / FORMER_KEY_FILE).unlink(missing_ok=True)


def chosen(settings: Settings, keys: Sequence[MasterKey], clock: Clock) -> EnvelopeVault | KeptOutside:
    """The vault; its own sealing is under the first of the keys. Raises `BadSetting`."""
    envelope, keeper = EnvelopeVault(*keys), _keeper(settings, clock)
    return envelope if keeper is None else KeptOutside(keeper, envelope, clock)


def _keeper(settings: Settings, clock: Clock) -> Keeper | None:
    match settings:
        case Settings(vault="hashicorp", vault_url=str(url)):
            return HashiCorpKeeper(
                _server("HashiCorp Vault", url, settings, clock),
                _login(settings),
                clock,
                mount=settings.vault_mount,
                path=settings.vault_path,
                namespace=settings.vault_namespace,
            )
        case Settings(vault="basis-theory", vault_token=SecretStr() as key):
            server = _server("Basis Theory", settings.vault_url or BASIS_THEORY_URL, settings, clock)
            return BasisTheoryKeeper(server, key.get_secret_value(), path=settings.vault_path)
        case _:
            return None


def _server(name: str, url: str, settings: Settings, clock: Clock) -> VaultServer:
    seconds = settings.vault_timeout_seconds
    try:
        return VaultServer(name, url, clock, timeout_seconds=seconds, ca=settings.vault_ca)
    except OSError as error:
        raise BadSetting(
            f"vault_ca: {settings.vault_ca} cannot be used: {error.strerror or error}"
        ) from error


def _login(settings: Settings) -> Token | AppRole:
    match settings:
        case Settings(vault_role_id=str(role_id), vault_secret_id=SecretStr() as secret_id):
            return AppRole(role_id, secret_id.get_secret_value(), settings.vault_approle_mount)
        case Settings(vault_token=SecretStr() as token):
            return Token(token.get_secret_value())
        case _:
            raise BadSetting("either vault_token or vault_role_id must be given")


def _keys_in(folder: DataFolder) -> tuple[MasterKey, ...]:
    names = [KEY_FILE] + [FORMER_KEY_FILE] * (folder.path / FORMER_KEY_FILE).exists()
    return tuple(_key_in(folder, name) for name in names)


def _key_in(folder: DataFolder, name: str) -> MasterKey:
    try:
        return MasterKey(folder.secret(name))
    except ValueError as error:
        raise BadSetting(f"{folder.path}/{name} is damaged: {error}") from error


def _keys_of(setting: str, given: SecretStr | None) -> tuple[MasterKey, ...]:
    texts = given.get_secret_value().split(",") if given is not None else []
    try:
        return tuple(MasterKey(base64.b64decode(text.strip(), validate=True)) for text in texts)
    except (binascii.Error, ValueError) as error:
        raise BadSetting(f"{setting}: must be 32 bytes in base64") from error

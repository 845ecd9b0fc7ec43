"""The algorithms that turn a password into a hash, each with the text format that Django gave it.

A hash is text, ``algorithm$…``. A hasher's ``encode`` makes one, ``decode`` takes it apart and raises ``ValueError``
for a text of another form, ``verify`` answers False for such a text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import secrets
import string
from typing import Any, ClassVar, Final

from crowsfoot.errors import ImproperlyConfigured

try:
    import argon2 as _argon2
except ImportError:  # an extra: pip install crowsfoot[auth]
    _argon2 = None  # type: ignore[assignment]

_SALT_LETTERS: Final = string.ascii_letters + string.digits


def mask_hash(hash: str, show: int = 6, char: str = "*") -> str:
    """The first ``show`` characters of a secret, and ``char`` for each of the others."""
    return hash[:show] + char * len(hash[show:])


def must_update_salt(salt: str, expected_entropy: float) -> bool:
    """Whether a salt of letters and digits holds less than ``expected_entropy`` bits."""
    return len(salt) * math.log2(len(_SALT_LETTERS)) < expected_entropy


def _bytes(text: str | bytes) -> bytes:
    # A lone surrogate, which no encoding has, must not make a log-in fail with an exception.
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def _number(text: str, most: int) -> int:
    """A cost as it stands in a hash. Raises ``ValueError`` for anything but a plain number from 1 to ``most``."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
        raise ValueError(f"{text[:20]!r} is not a number from 1 to {most}")
    return int(text)


class BasePasswordHasher:
    """What a hasher is; a subclass names its ``algorithm`` and has ``encode``, ``decode`` and ``verify``."""

    algorithm: str = ""
    salt_entropy: int = 128

    def is_available(self) -> bool:
        """Whether the library that the algorithm needs is installed."""
        return True

    def salt(self) -> str:
        """A new salt: letters and digits of at least ``salt_entropy`` bits."""
        count = math.ceil(self.salt_entropy / math.log2(len(_SALT_LETTERS)))
        return "".join(secrets.choice(_SALT_LETTERS) for _ in range(count))

    def encode(self, password: str | bytes, salt: str) -> str:
        """The hash of a password. Raises ``ValueError`` for a salt that is empty or has a ``$`` in it."""
        raise NotImplementedError

    def decode(self, encoded: str) -> dict[str, Any]:
        """The parts of a hash: ``algorithm``, ``salt``, ``hash`` and the costs. Raises ``ValueError``."""
        raise NotImplementedError

    def verify(self, password: str | bytes, encoded: str) -> bool:
        """Whether a password fits a hash; False for a hash of another form."""
        raise NotImplementedError

    def must_update(self, encoded: str) -> bool:
        """Whether ``encode`` would make a stronger hash today. Raises ``ValueError`` for a hash of another form."""
        return False

    def harden_runtime(self, password: str | bytes, encoded: str) -> None:
        """Spend the time by which checking ``encoded`` was shorter than checking a hash made today."""

    def safe_summary(self, encoded: str) -> dict[str, Any]:
        """What may be shown of a hash: its costs, and the beginning of the salt and of the hash."""
        parts = self.decode(encoded)
        shown = {name.replace("_", " "): value for name, value in parts.items()}
        return {**shown, "salt": mask_hash(parts["salt"]), "hash": mask_hash(parts["hash"])}

    def _check_salt(self, salt: str) -> None:
        if not salt or "$" in salt:
            raise ValueError("salt must be provided and cannot contain $.")

    def _split(self, encoded: str, count: int) -> list[str]:
        """The ``count`` parts after the algorithm. Raises ``ValueError``."""
        algorithm, *parts = encoded.split("$")
        if algorithm != self.algorithm or len(parts) != count:
            raise ValueError(f"not a hash of the form of {self.algorithm}")
        return parts


class PBKDF2PasswordHasher(BasePasswordHasher):
    """PBKDF2 with SHA-256: ``pbkdf2_sha256$iterations$salt$hash``."""

    algorithm = "pbkdf2_sha256"
    iterations: int = 1_500_000
    digest: str = "sha256"
    max_iterations: ClassVar[int] = 100_000_000
    """A hash that claims more is not believed: checking it would stop a server for minutes."""

    def encode(self, password: str | bytes, salt: str, iterations: int | None = None) -> str:
        self._check_salt(salt)
        iterations = iterations or self.iterations
        raw = hashlib.pbkdf2_hmac(self.digest, _bytes(password), _bytes(salt), iterations)
        return f"{self.algorithm}${iterations}${salt}${base64.b64encode(raw).decode('ascii')}"

    def decode(self, encoded: str) -> dict[str, Any]:
        iterations, salt, text = self._split(encoded, 3)
        self._check_salt(salt)
        count = _number(iterations, self.max_iterations)
        return {"algorithm": self.algorithm, "iterations": count, "salt": salt, "hash": text}

    def verify(self, password: str | bytes, encoded: str) -> bool:
        try:
            parts = self.decode(encoded)
        except ValueError:
            return False
        return _same(encoded, self.encode(password, parts["salt"], parts["iterations"]))

    def must_update(self, encoded: str) -> bool:
        parts = self.decode(encoded)
        return parts["iterations"] != self.iterations or must_update_salt(parts["salt"], self.salt_entropy)

    def harden_runtime(self, password: str | bytes, encoded: str) -> None:
        parts = self.decode(encoded)
        missing = self.iterations - parts["iterations"]
        if missing > 0:
            self.encode(password, parts["salt"], missing)


class PBKDF2SHA1PasswordHasher(PBKDF2PasswordHasher):
    """PBKDF2 with SHA-1, for hashes of systems that have nothing else."""

    algorithm = "pbkdf2_sha1"
    digest = "sha1"


class Argon2PasswordHasher(BasePasswordHasher):
    """Argon2id, the one to prefer: ``argon2`` and Argon2's own format. Needs ``argon2-cffi``.

    The three costs are Django's, so that hashes of either are up to date to the other.
    """

    algorithm = "argon2"
    time_cost: int = 2
    memory_cost: int = 102_400
    parallelism: int = 8
    max_memory_cost: ClassVar[int] = 4 * 1024 * 1024
    max_time_cost: ClassVar[int] = 1_000

    def is_available(self) -> bool:
        return _argon2 is not None

    def _library(self) -> Any:
        if _argon2 is None:
            raise ImproperlyConfigured("Argon2 hashes need the library argon2-cffi: pip install crowsfoot[auth]")
        return _argon2

    def params(self) -> Any:
        """The parameters of a new hash, an ``argon2.Parameters``."""
        library = self._library()
        return library.Parameters(
            type=library.low_level.Type.ID,
            version=library.low_level.ARGON2_VERSION,
            salt_len=library.DEFAULT_RANDOM_SALT_LENGTH,
            hash_len=library.DEFAULT_HASH_LENGTH,
            time_cost=self.time_cost,
            memory_cost=self.memory_cost,
            parallelism=self.parallelism,
        )

    def encode(self, password: str | bytes, salt: str) -> str:
        params = self.params()
        raw = self._library().low_level.hash_secret(
            _bytes(password),
            _bytes(salt),
            time_cost=params.time_cost,
            memory_cost=params.memory_cost,
            parallelism=params.parallelism,
            hash_len=params.hash_len,
            type=params.type,
        )
        return f"{self.algorithm}{raw.decode('ascii')}"

    def decode(self, encoded: str) -> dict[str, Any]:
        library = self._library()
        algorithm, separator, rest = encoded.partition("$")
        parts = rest.split("$")
        if algorithm != self.algorithm or not separator or not rest.isascii() or len(parts) not in (4, 5):
            raise ValueError("not a hash of the form of argon2")
        params = library.extract_parameters(f"${rest}")  # raises InvalidHashError, a ValueError
        if params.memory_cost > self.max_memory_cost or params.time_cost > self.max_time_cost:
            raise ValueError("an Argon2 hash with costs that are not believed")
        return {
            "algorithm": self.algorithm,
            "variety": parts[0],
            "version": params.version,
            "memory_cost": params.memory_cost,
            "time_cost": params.time_cost,
            "parallelism": params.parallelism,
            "salt": base64.b64decode(parts[-2] + "=" * (-len(parts[-2]) % 4)).decode("latin-1"),
            "hash": parts[-1],
        }

    def verify(self, password: str | bytes, encoded: str) -> bool:
        library = self._library()
        try:
            self.decode(encoded)
            return bool(library.PasswordHasher().verify(encoded.removeprefix(self.algorithm), _bytes(password)))
        except (ValueError, library.exceptions.Argon2Error):
            return False

    def must_update(self, encoded: str) -> bool:
        parts = self.decode(encoded)
        now = self.params()
        costs = (now.version, now.memory_cost, now.time_cost, now.parallelism)
        same = (parts["version"], parts["memory_cost"], parts["time_cost"], parts["parallelism"]) == costs
        length = self._library().extract_parameters(encoded.removeprefix(self.algorithm)).hash_len
        current = same and parts["variety"] == "argon2id" and length == now.hash_len
        return not current or must_update_salt(parts["salt"], self.salt_entropy)


class ScryptPasswordHasher(BasePasswordHasher):
    """scrypt: ``scrypt$work_factor$salt$block_size$parallelism$hash``."""

    algorithm = "scrypt"
    work_factor: int = 2**14
    block_size: int = 8
    parallelism: int = 5
    maxmem: int = 0
    max_cost: ClassVar[int] = 2**28
    """The greatest work factor times block size times parallelism that is believed."""

    def encode(
        self,
        password: str | bytes,
        salt: str,
        n: int | None = None,
        r: int | None = None,
        p: int | None = None,
    ) -> str:
        self._check_salt(salt)
        n, r, p = n or self.work_factor, r or self.block_size, p or self.parallelism
        # OpenSSL refuses more memory than it is told of, and by default 32 MiB.
        memory = self.maxmem or 128 * r * (n + p + 2) + 2**20
        raw = hashlib.scrypt(_bytes(password), salt=_bytes(salt), n=n, r=r, p=p, maxmem=memory, dklen=64)
        return f"{self.algorithm}${n}${salt}${r}${p}${base64.b64encode(raw).decode('ascii')}"

    def decode(self, encoded: str) -> dict[str, Any]:
        n, salt, r, p, text = self._split(encoded, 5)
        self._check_salt(salt)
        costs = [_number(cost, self.max_cost) for cost in (n, r, p)]
        if math.prod(costs) > self.max_cost:
            raise ValueError("an scrypt hash with costs that are not believed")
        names = ("work_factor", "block_size", "parallelism")
        return {"algorithm": self.algorithm, **dict(zip(names, costs, strict=True)), "salt": salt, "hash": text}

    def verify(self, password: str | bytes, encoded: str) -> bool:
        try:
            parts = self.decode(encoded)
            costs = (parts["work_factor"], parts["block_size"], parts["parallelism"])
            return _same(encoded, self.encode(password, parts["salt"], *costs))
        except ValueError:  # also costs that scrypt itself refuses
            return False

    def must_update(self, encoded: str) -> bool:
        parts = self.decode(encoded)
        same = (parts["work_factor"], parts["block_size"], parts["parallelism"]) == (
            self.work_factor,
            self.block_size,
            self.parallelism,
        )
        return not same or must_update_salt(parts["salt"], self.salt_entropy)


class _DigestHasher(BasePasswordHasher):
    """One round of a hash function, ``algorithm$salt$hash``: fast, and therefore no protection."""

    def encode(self, password: str | bytes, salt: str) -> str:
        self._check_salt(salt)
        text = hashlib.new(self.algorithm, _bytes(salt) + _bytes(password), usedforsecurity=False).hexdigest()
        return f"{self.algorithm}${salt}${text}"

    def decode(self, encoded: str) -> dict[str, Any]:
        salt, text = self._split(encoded, 2)
        self._check_salt(salt)
        return {"algorithm": self.algorithm, "salt": salt, "hash": text}

    def verify(self, password: str | bytes, encoded: str) -> bool:
        try:
            parts = self.decode(encoded)
        except ValueError:
            return False
        return _same(encoded, self.encode(password, parts["salt"]))

    def must_update(self, encoded: str) -> bool:
        return must_update_salt(self.decode(encoded)["salt"], self.salt_entropy)

    def safe_summary(self, encoded: str) -> dict[str, Any]:
        parts = self.decode(encoded)
        return {**parts, "salt": mask_hash(parts["salt"], show=2), "hash": mask_hash(parts["hash"])}


class MD5PasswordHasher(_DigestHasher):
    """Salted MD5: for tests, which want speed, and for reading very old tables."""

    algorithm = "md5"


class SHA1PasswordHasher(_DigestHasher):
    """Salted SHA-1: for reading very old tables."""

    algorithm = "sha1"

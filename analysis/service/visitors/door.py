"""The door: which token and which cookie lets whom in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from itsdangerous import BadData, Signer, URLSafeTimedSerializer

from analysis.service.visitors.brake import Brake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.service.visitors.visitor import Visitor

MONTH_S = 30 * 86400
"""What a cookie lasts, if the secret does."""


class Door:
    """Knows the visitors by what they bring.

    A cookie is signed with the server's secret and names a token by its signature: it ends with the secret, with the
    token and after a month, and nobody learns the token from it.

    Attributes:
        visitors: Who may come in.
        brake: On guessing.
    """

    def __init__(self, visitors: Sequence[Visitor], secret: str | None = None, brake: Brake | None = None) -> None:
        """Take who may come in, what cookies are signed with (None: a new secret), and the brake."""
        secret = secret or secrets.token_urlsafe(32)
        self.visitors, self.brake = tuple(visitors), brake or Brake()
        how = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._cookies = URLSafeTimedSerializer(secret, salt="robustness serve: session", signer_kwargs=how)
        self._names = Signer(
            secret, salt="robustness serve: token", key_derivation="hmac", digest_method=hashlib.sha256
        )
        self._by_name = {self._name(visitor): visitor for visitor in self.visitors}

    def cookie(self, visitor: Visitor) -> str:
        """Return what lets a visitor in from now on."""
        return str(self._cookies.dumps(self._name(visitor)))

    def by_cookie(self, text: str) -> Visitor | None:
        """Return whom a cookie lets in."""
        try:
            name = self._cookies.loads(text, max_age=MONTH_S)
        except BadData:
            return None
        return self._by_name.get(name) if isinstance(name, str) else None

    def by_token(self, text: str) -> Visitor | None:
        """Return whom a token lets in; takes as long for every wrong one, for it is compared with each whole token."""
        given = text.encode(errors="replace")
        found = [visitor for visitor in self.visitors if hmac.compare_digest(given, visitor.token.encode())]
        return found[0] if found else None

    def _name(self, visitor: Visitor) -> str:
        return self._names.get_signature(visitor.token).decode()

"""What the paper says and we check: one function per statement, registered under the statement's id."""

from .registry import CLAIMS, Claim, Verdict, check, claim

__all__ = ["CLAIMS", "Claim", "Verdict", "check", "claim"]

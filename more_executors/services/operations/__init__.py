"""Long-running operations of cloud services, by Google's and Microsoft's clients: see the page on operations."""

from ._azure import AzureOperation, AzureOperations
from ._google import Operations

__all__ = ["AzureOperation", "AzureOperations", "Operations"]

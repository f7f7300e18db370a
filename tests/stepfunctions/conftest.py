from tests.proxy import hasty, proxy

__all__ = ["hasty", "proxy"]

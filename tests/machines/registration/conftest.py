from tests.proxy import hasty, here, proxy

__all__ = ["hasty", "here", "proxy"]

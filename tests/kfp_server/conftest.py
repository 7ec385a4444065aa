from kfp_server.fixtures import kubernetes_server, multi_user_server, server

__all__ = ["kubernetes_server", "multi_user_server", "server"]

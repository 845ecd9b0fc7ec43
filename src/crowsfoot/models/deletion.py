from typing import Any
def delete_instances(session, instances, keep_parents=False):
    raise NotImplementedError
    yield
def delete_queryset(session, rows, raw=False):
    raise NotImplementedError
    yield

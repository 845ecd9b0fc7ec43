"""`Signal`: who is told, by whom, and how long."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextvars import ContextVar
from typing import Any

import pytest

from crowsfoot import models
from crowsfoot.errors import SynchronousOnlyOperation
from crowsfoot.models.dispatch import Signal, receiver
from crowsfoot.models.signals import post_init
from crowsfoot.testing import isolated_registry

LEVEL: ContextVar[int] = ContextVar("level", default=0)


@pytest.fixture
def signal() -> Signal:
    return Signal()


def echo(value: Any, **named: Any) -> Any:
    LEVEL.set(LEVEL.get() + 1)
    return value


async def aecho(value: Any, **named: Any) -> Any:
    await asyncio.sleep(0)
    LEVEL.set(LEVEL.get() + 1)
    return value


def fail(**named: Any) -> None:
    raise ValueError("no")


def test_a_sender_chooses_its_receivers(signal: Signal) -> None:
    one, other = object(), object()
    signal.connect(echo, sender=one)
    assert signal.send(one, value=1) == [(echo, 1)]
    assert signal.send(other, value=1) == []
    assert (signal.has_listeners(one), signal.has_listeners(other)) == (True, False)
    assert signal.disconnect(echo) is False
    assert signal.disconnect(echo, sender=one) is True
    assert signal.receivers == []


def test_a_receiver_is_connected_once_and_held_weakly(signal: Signal) -> None:
    class Listener:
        def hear(self, **named: Any) -> str:
            return "heard"

    listener = Listener()
    signal.connect(listener.hear)
    signal.connect(listener.hear)
    signal.connect(echo, dispatch_uid="me")
    signal.connect(aecho, dispatch_uid="me")
    assert [answer for _, answer in signal.send(None, value=1)] == ["heard", 1]
    del listener
    gc.collect()
    assert signal.send(None, value=1) == [(echo, 1)]
    assert len(signal.receivers) == 1


def test_a_sender_that_is_gone_is_not_mistaken_for_another(signal: Signal) -> None:
    class Sender:
        pass

    sender: Any = Sender()
    signal.connect(echo, sender=sender)
    del sender
    gc.collect()
    assert signal.send(Sender(), value=1) == []
    assert signal.receivers == []


def test_what_cannot_be_a_receiver(signal: Signal) -> None:
    with pytest.raises(TypeError, match="must be callable"):
        signal.connect(object())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"\*\*kwargs"):
        signal.connect(lambda sender: None)


def test_robust_sends_log_and_go_on(signal: Signal, caplog: pytest.LogCaptureFixture) -> None:
    signal.connect(fail)
    signal.connect(echo)
    with pytest.raises(ValueError, match="no"):
        signal.send(None, value=1)
    with caplog.at_level(logging.ERROR):
        found = signal.send_robust(None, value=1)
    assert [type(answer) for _, answer in found] == [ValueError, int]
    assert caplog.records[0].getMessage() == "Error calling fail in Signal.send_robust() (no)"
    assert caplog.records[0].name.endswith(".dispatch")


def test_coroutine_functions_are_run_to_their_end_by_sync_code(signal: Signal) -> None:
    receiver(signal)(aecho)
    receiver([signal])(echo)
    before = LEVEL.get()
    assert signal.send(None, value=1) == [(echo, 1), (aecho, 1)]
    assert LEVEL.get() == before + 2


def test_async_code_awaits_them(signal: Signal) -> None:
    signal.connect(aecho)
    signal.connect(echo)

    async def send() -> tuple[Any, int]:
        LEVEL.set(0)
        with pytest.raises(SynchronousOnlyOperation, match="asend"):
            signal.send(None, value=1)
        return await signal.asend(None, value=2), LEVEL.get()

    assert asyncio.run(send()) == ([(echo, 2), (aecho, 2)], 3)
    signal.connect(fail)
    found = asyncio.run(signal.asend_robust(None, value=3))
    assert [str(answer) for _, answer in found] == ["3", "no", "3"]


def test_a_model_may_be_named_before_it_is_there() -> None:
    seen: list[Any] = []

    def hear(instance: Any, **named: Any) -> None:
        seen.append(instance)

    with isolated_registry() as apps:
        post_init.connect(hear, sender="later.Later", apps=apps)

        class Later(models.Model):
            class Meta:
                app_label = "later"

        later = Later()
        assert seen == [later]
        assert post_init.disconnect(hear, sender="later.Later", apps=apps) is None
        Later()
        assert seen == [later]
    with pytest.raises(ValueError, match=r"app_label\.ModelName"):
        post_init.connect(hear, sender="nothing")

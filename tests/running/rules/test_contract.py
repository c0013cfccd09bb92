"""What `Rule` promises, for every rule."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules import files
from hybridmem.running.rules.base import after
from hybridmem.running.rules.caching import Caching
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.hebbian import Hebbian
from hybridmem.running.rules.titans import Titans
from tests.running.rules.every_rule import RULES, init, tokens

LENGTH = 75
EVERY = pytest.mark.parametrize("name", RULES)


def close(one: Any, other: Any, tolerance: float) -> None:
    ours, theirs = files.tensors(one), files.tensors(other)
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(
            ours[name], theirs[name], rtol=tolerance, atol=tolerance, msg=lambda text, name=name: f"{name}: {text}"
        )


def same(one: Any, other: Any) -> bool:
    ours, theirs = files.tensors(one), files.tensors(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@functools.cache
def written(name: str, chunk: int, dtype: torch.dtype = torch.float64, length: int = LENGTH) -> Any:
    k, v, _ = tokens(length, dtype=dtype)
    return RULES[name].write(init(RULES[name], dtype=dtype), k, v, chunk=chunk)


@EVERY
@pytest.mark.parametrize("chunk", [7, 16, 64])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_chunked_is_sequential(name: str, chunk: int, dtype: torch.dtype, tolerance: float) -> None:
    close(written(name, chunk, dtype), written(name, 1, dtype), tolerance)


@EVERY
def test_writes_of_parts_are_one_write(name: str) -> None:
    k, v, _ = tokens(LENGTH)
    state = init(RULES[name])
    for start, end in ((0, 1), (1, 5), (5, 5), (5, 42), (42, LENGTH)):
        state = RULES[name].write(state, k[..., start:end, :], v[..., start:end, :], chunk=16)
    close(state, written(name, 16), 1e-10)


@EVERY
def test_inference_mode_and_eval_change_nothing(name: str) -> None:
    class Layer(torch.nn.Module):
        def forward(self, k: Tensor, v: Tensor) -> Any:
            return RULES[name].write(init(RULES[name]), k, v, chunk=16)

    k, v, q = tokens(LENGTH)
    trained = Layer().train()(k, v)
    with torch.inference_mode():
        inferred = Layer().eval()(k, v)
        read = RULES[name].read(inferred, q)
    assert same(trained, inferred)
    assert same(trained, written(name, 16))
    assert torch.equal(read, RULES[name].read(trained, q))


@EVERY
def test_what_was_given_is_not_changed(name: str) -> None:
    k, v, q = tokens(LENGTH)
    before = RULES[name].write(init(RULES[name]), k[..., :20, :], v[..., :20, :])
    copies = files.mapped(before, torch.clone), k.clone(), v.clone(), q.clone()
    RULES[name].write(before, k, v)
    RULES[name].read(before, q)
    assert same(before, copies[0])
    assert all(torch.equal(one, other) for one, other in zip((k, v, q), copies[1:], strict=True))


@EVERY
def test_states_are_float32_whatever_is_written(name: str) -> None:
    rule = RULES[name]
    k, v, q = tokens(20, dtype=torch.bfloat16)
    state = rule.write(rule.init(2, 2, 6, 6), k, v)
    assert {each.dtype for each in files.tensors(state).values()} <= {torch.float32, torch.int64}
    assert rule.read(state, q).dtype == torch.float32
    assert rule.read(state, q).isfinite().all()


@EVERY
def test_heads_and_sequences_never_mix(name: str) -> None:
    k, v, q = tokens(LENGTH)
    other = v.clone()
    other[1, 0] = 0
    rule = RULES[name]
    one, changed = rule.write(init(rule), k, v), rule.write(init(rule), k, other)
    equal = (rule.read(one, q) == rule.read(changed, q)).all(-1).all(-1)
    assert equal.tolist() == [[True, True], [False, True]]


@EVERY
def test_an_empty_write_changes_nothing(name: str) -> None:
    k, v, _ = tokens(LENGTH)
    assert same(RULES[name].write(written(name, 16), k[..., :0, :], v[..., :0, :]), written(name, 16))


@EVERY
def test_files_are_bit_equal(name: str, tmp_path) -> None:
    files.save(tmp_path / "state.safetensors", RULES[name], written(name, 16))
    loaded = files.load(tmp_path / "state.safetensors", RULES[name])
    assert type(loaded) is type(written(name, 16))
    assert same(loaded, written(name, 16))


@pytest.mark.parametrize("other", [Delta(rate=0.5), Hebbian(), Caching(rule=Delta(rate=0.7))])
def test_the_file_of_another_rule_is_refused(other: Any, tmp_path) -> None:
    files.save(tmp_path / "state.safetensors", RULES["delta"], written("delta", 16))
    with pytest.raises(InvalidInput, match=r"^state.safetensors holds the state of Delta\(rate=0.7, decay=0.0\), not"):
        files.load(tmp_path / "state.safetensors", other)


def test_a_file_with_other_tensors_is_refused(tmp_path) -> None:
    save_file({"matrix": torch.zeros(1)}, tmp_path / "old", {"rule": repr(Delta())})
    with pytest.raises(InvalidInput, match=r"^old holds other tensors than Delta.* has: matrix$"):
        files.load(tmp_path / "old", Delta())


def test_no_file_and_a_file_of_no_state_are_refused(tmp_path) -> None:
    (tmp_path / "noise").write_bytes(b"no state at all")
    for name in ("noise", "missing"):
        with pytest.raises(InvalidInput, match=f"^{name} is no file of a state"):
            files.load(tmp_path / name, Delta())


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [
        ("hebbian", 4 * 6 * 6),
        ("delta", 4 * 6 * 6),
        ("ridge", 4 * 6 * (6 + 6)),
        ("titans", 12 * 6 * 6),
        ("continuum", 12 * 6 * 6),
        ("omega", 4 * (3 * 6 * 6 + 3 * (6 + 6 + 1))),
        ("ttt linear", 4 * (2 * 6 * 6 + 4 * 6)),
        ("ttt mlp", 4 * (2 * (6 * 24 + 24 + 24 * 6 + 6) + 2 * 6)),
    ],
)
def test_bytes_are_those_of_the_docstring(name: str, bytes_: int) -> None:
    state = RULES[name].init(1, 1, 6, 6)
    assert files.nbytes(state) - (8 if "written" in state._fields else 0) == bytes_


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chunk": 0}, "a chunk has a token at least: 0"),
        ({"gates": {"speed": torch.ones(2, 2, 20)}}, "no such gate: speed; choose of rate, momentum, decay"),
        ({"gates": {"rate": torch.ones(20)}}, r"the gate rate is \[B, H, T\], \[2, 2, 20\]: \[20\]"),
        ({"v": torch.ones(2, 2, 19, 6)}, r"keys are \[B, H, T, d\] and values \[B, H, T, m\]: \[2, 2, 20, 6\] and"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    k, v, _ = tokens(20)
    given = {"k": k, "v": v, "gates": None, "chunk": 16} | change
    with pytest.raises(InvalidInput, match=message):
        Titans().write(init(Titans()), **given)


@pytest.mark.parametrize(
    ("module", "rule", "settings"),
    [
        ("hebbian", "Hebbian", {"decay": 1.5}),
        ("delta", "Delta", {"rate": -1}),
        ("dgd", "DeltaGradientDescent", {"objective": "l1"}),
        ("ridge", "Ridge", {"ridge": 0}),
        ("titans", "Titans", {"batch": 0}),
        ("omega", "Omega", {"degree": 3}),
        ("omega", "Omega", {"window": 0}),
        ("ttt_linear", "TTTLinear", {"rate": 0}),
        ("ttt_mlp", "TTTMLP", {"expansion": 0}),
        ("random_features", "RandomFeatures", {"width": 0}),
        ("bdh", "BDH", {"keep": 0}),
        ("bdh", "BDH", {"neurons": 7}),
        ("bdh", "BDH", {"activation": "gelu"}),
        ("continuum", "Continuum", {"aggregate": "mean"}),
        ("caching", "Caching", {"choice": "all"}),
        ("caching", "Caching", {"segment": 0}),
    ],
)
def test_settings_that_make_no_sense_are_refused(module: str, rule: str, settings: dict[str, Any]) -> None:
    made = getattr(__import__(f"hybridmem.running.rules.{module}", fromlist=[rule]), rule)
    with pytest.raises(InvalidInput):
        made(**settings)


def test_a_residual_needs_values_of_the_size_of_keys() -> None:
    for name in ("ttt linear", "ttt mlp"):
        with pytest.raises(InvalidInput, match="keys and values have one size: 6 and 5"):
            RULES[name].init(1, 1, 6, 5)


def test_after_is_the_product_of_later_factors() -> None:
    assert after(torch.tensor([2.0, 3.0, 0.0, 5.0])).tolist() == [0.0, 0.0, 5.0, 1.0]


@pytest.mark.slow
@EVERY
def test_chunked_is_sequential_on_long_texts(name: str) -> None:
    close(written(name, 64, length=1025), written(name, 1, length=1025), 1e-8)

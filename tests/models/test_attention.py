"""Self-attention against torch's own, and by its plain definition."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recsweep.models.attention import (
    Attention,
    AttentionConfig,
    AttentionLayers,
    Block,
    SwiGlu,
    power_of_two,
)

SIZE, HEADS = 8, 2
SECOND = 1_000_000


def config_of(**changes: Any) -> AttentionConfig:
    base: dict[str, Any] = {
        "block": "pre_norm", "depth": 2, "heads": HEADS, "embedding_size": SIZE, "dropout": 0.0,
        "positions": "none", "window": 50, "learning_rate": 1e-3, "weight_decay": 0.0,
        "batch_size": 4,
    }  # fmt: skip
    return AttentionConfig.model_validate(base | changes)


def layers_of(**changes: Any) -> AttentionLayers:
    """With random parameters, biases of positions and gains of norms among them."""
    torch.manual_seed(0)
    layers = AttentionLayers(config_of(**changes)).double()
    for parameter in layers.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layers


def inputs_of(longest: int = 12) -> Tensor:
    return torch.randn(3, longest, SIZE, dtype=torch.float64)


def attended(block: Block, inputs: Tensor, allowed: Tensor) -> Tensor:
    """By `nn.MultiheadAttention` with the block's weights."""
    reference = nn.MultiheadAttention(SIZE, HEADS, batch_first=True, dtype=torch.float64)
    ours = block.attention
    with torch.no_grad():
        reference.in_proj_weight.copy_(ours.project_in.weight)
        reference.in_proj_bias.copy_(ours.project_in.bias)
        reference.out_proj.load_state_dict(ours.project_out.state_dict())
    found: Tensor = reference(inputs, inputs, inputs, attn_mask=~allowed, need_weights=False)[0]
    return found


def reference(layers: AttentionLayers, kind: str, states: Tensor, allowed: Tensor) -> Tensor:
    for block in layers.blocks:
        assert isinstance(block, Block)
        first, second = block.norms
        if kind == "post_norm":
            states = first(states + attended(block, states, allowed))
            states = second(states + block.feed_forward(states))
            continue
        change = attended(block, first(states), allowed)
        if kind == "ligr":
            states = states + block.gates[0](states).sigmoid() * change
            gate, inner = block.gates[1](states).sigmoid(), block.feed_forward
            assert isinstance(inner, SwiGlu)
            in_, out = inner.project_in.weight, inner.project_out.weight
            left, right = (second(states) @ part.T for part in in_.chunk(2))
            states = states + gate * ((left * left.sigmoid() * right) @ out.T)
            continue
        states = states + change
        states = states + block.feed_forward(second(states))
    return layers.last_norm(states) if kind == "pre_norm" else states


@pytest.mark.parametrize("kind", ["post_norm", "pre_norm", "ligr"])
@pytest.mark.parametrize("window", [50, 5])
def test_blocks_are_torchs_attention_over_the_last_events(kind: str, window: int) -> None:
    layers, inputs = layers_of(block=kind, window=window), inputs_of()
    places = torch.arange(12)
    back = places[:, None] - places
    expected = reference(layers, kind, inputs, (back >= 0) & (back < window))
    torch.testing.assert_close(layers(inputs), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("positions", ["learned", "time"])
def test_positions_add_to_the_logits_by_distance_and_by_the_log_of_the_time_between(
    positions: str,
) -> None:
    layers, inputs = layers_of(positions=positions, depth=1, window=5, heads=1), inputs_of()
    seconds = torch.tensor([0, 0, 1, 2, 3, 10, 10, 100, 4000, 4001, 4003, 2**33])
    micros = seconds * SECOND + torch.tensor([0, SECOND - 1, *[0] * 8, SECOND // 2, SECOND // 2])
    time = micros.expand(3, -1)
    block, of_distance = layers.blocks[0], layers.positions.bias_of_distance
    assert isinstance(block, Block)
    assert of_distance is not None
    query, key, value = block.attention.project_in(block.norms[0](inputs)).chunk(3, -1)
    rows = []
    for here in range(12):
        logits = []
        for there in range(max(0, here - 4), here + 1):
            logit = (query[:, here] * key[:, there]).sum(1) / SIZE**0.5
            logit = logit + of_distance[here - there, 0]
            if (of_gap := layers.positions.bias_of_gap) is not None:
                between = int(micros[here] - micros[there]) // SECOND
                logit = logit + of_gap[min((1 + between).bit_length() - 1, 31), 0]
            logits.append(logit)
        weights = torch.stack(logits, 1).softmax(1)
        rows.append((weights[..., None] * value[:, max(0, here - 4) : here + 1]).sum(1))
    states = inputs + block.attention.project_out(torch.stack(rows, 1))
    expected = layers.last_norm(states + block.feed_forward(block.norms[1](states)))
    torch.testing.assert_close(layers(inputs, time), expected)


def test_powers_of_two_are_exact_in_an_exported_graph_too(monkeypatch: pytest.MonkeyPatch) -> None:
    edges = [2**n + off for n in range(34) for off in (-1, 0, 1) if 2**n + off > 0]
    expected = [min(number.bit_length() - 1, 31) for number in edges]
    assert power_of_two(torch.tensor(edges)).tolist() == expected
    monkeypatch.setattr("torch.onnx.is_in_onnx_export", lambda: True)
    assert power_of_two(torch.tensor(edges)).tolist() == expected


@pytest.mark.parametrize("positions", ["none", "learned", "time"])
@pytest.mark.parametrize("chunk", [4, 256])
def test_no_later_event_moves_an_earlier_state_and_no_chunk_does(
    positions: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers, inputs = layers_of(positions=positions, window=5, block="ligr"), inputs_of()
    time = (torch.arange(12) ** 3 * SECOND).expand(3, -1)
    whole = layers(inputs, time)
    monkeypatch.setattr("recsweep.models.attention.CHUNK", chunk)
    later, when = inputs.clone(), time.clone()
    later[:, 7:], when[:, 7:] = torch.randn(3, 5, SIZE), 0
    torch.testing.assert_close(layers(later, when)[:, :7], whole[:, :7])
    assert not torch.allclose(layers(later, when)[:, 7], whole[:, 7])
    torch.testing.assert_close(layers(inputs, time), whole)


def test_positions_start_as_no_effect() -> None:
    inputs, time = inputs_of(), (torch.arange(12) ** 3 * SECOND).expand(3, -1)
    found = []
    for positions in ("none", "learned", "time"):
        torch.manual_seed(0)
        found.append(
            AttentionLayers(config_of(positions=positions, window=5)).double()(inputs, time)
        )
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(found[2], found[0])


def test_a_number_for_each_distance_and_for_each_power_of_two_of_seconds_is_learned() -> None:
    positions = layers_of(positions="time", window=7).positions
    assert positions.bias_of_distance is not None
    assert positions.bias_of_gap is not None
    assert positions.bias_of_distance.shape == (7, HEADS)
    assert positions.bias_of_gap.shape == (32, HEADS)  # 2^31 s are 68 years


@pytest.mark.parametrize("biased", [False, True])
def test_in_training_alone_what_is_attended_to_is_dropped(biased: bool) -> None:
    attention = Attention(SIZE, HEADS, dropout=0.5)
    for layer in (attention.project_in, attention.project_out):
        nn.init.zeros_(layer.weight)
    nn.init.ones_(attention.project_in.bias)
    nn.init.eye_(attention.project_out.weight)
    nn.init.zeros_(attention.project_out.bias)
    plain = config_of(window=1 if biased else 50)  # of one place, what is added is 0 or nothing
    looks = AttentionLayers(plain).positions(40, None, torch.device("cpu"))
    assert (looks[0].logits is not None) is biased
    found = attention(torch.zeros(9, 40, SIZE), looks)[:, : 40 if biased else 1]
    assert {*found.flatten().tolist()} == {0, 2}
    torch.testing.assert_close(
        attention.eval()(torch.zeros(9, 40, SIZE), looks), torch.ones(9, 40, SIZE)
    )


@pytest.mark.parametrize("kind", ["post_norm", "ligr"])
def test_the_inner_layer_of_a_block_is_four_times_as_wide(kind: str) -> None:
    (block,) = layers_of(block=kind, depth=1).blocks
    assert isinstance(block, Block)
    widest = [each for each in block.feed_forward.modules() if isinstance(each, nn.Linear)]
    assert widest[-1].in_features == 4 * SIZE


def test_heads_share_the_width() -> None:
    with pytest.raises(ValueError, match="embedding_size 8 is no multiple of heads 3"):
        config_of(heads=3)

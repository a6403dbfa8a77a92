"""Step 5: the claims hold of the multilinear that was committed to (WHIR, Johnson bound)."""

from __future__ import annotations

from collections.abc import Sequence

from novate.proof.verifier.field import (
    ONE,
    ROOT_OF_UNITY,
    ZERO,
    K,
    P,
    add,
    evaluate,
    mul,
    powers_point,
    product,
    scale,
    sub,
)
from novate.proof.verifier.key import Key, Round
from novate.proof.verifier.messages import Fold, Messages, Openings
from novate.proof.verifier.stacking import Claim, Weight, at_point
from novate.proof.verifier.transcript import (
    Transcript,
    atom,
    bracket,
    keccak_256,
    require,
    u,
)


def verify_opening(
    key: Key, messages: Messages, columns: list[Claim], answers: list[Claim], transcript: Transcript
) -> None:
    """Join the claims, fold, and follow the folding down to a polynomial in the clear."""
    _seed(key, transcript)
    chunks = [*key.stack_chunks, u(len(columns)), u(len(answers))]
    steps = [atom("Challenge", "batching", None, "TE")]
    transcript.seed("p3-sumcheck-layout-batching", 1, steps, chunks)
    opening = Opening(key, transcript)
    opening.join([*columns, *answers], transcript.extension(), ONE)
    opening.fold(messages.fold, key.initial_fold_pow_bits, "5.1 initial fold")
    root = messages.root
    for place, (entry, sent) in enumerate(zip(key.rounds, messages.rounds, strict=True)):
        step = f"5.{place + 2} round {place}"
        transcript.absorb(sent.root)
        claims = []
        for answer in sent.answers:
            point = powers_point(transcript.extension(), opening.left)
            transcript.absorb_extensions([answer])
            claims.append(Claim(at_point(point), answer))
        transcript.grind(entry.pow_bits, sent.witness, step)
        indices = draw_indices(entry, transcript)
        check_rows(root, entry, indices, sent.openings, step)
        folds = opening.point[-key.folds[place] :]
        for index, row in zip(indices, sent.openings.rows, strict=True):
            x = pow(ROOT_OF_UNITY, index << (32 - entry.log_leaves), P)
            claims.append(Claim(at_query(x), evaluate(row, folds)))
        batching = transcript.extension()
        opening.join(claims, batching, batching)
        opening.fold(sent.fold, entry.fold_pow_bits, step)
        root = sent.root
    _verify_end(key, messages, opening, root, transcript)


class Opening:
    """The claim so far: a sum of weights with their powers, and the value it must have."""

    def __init__(self, key: Key, transcript: Transcript) -> None:
        """Nothing is claimed yet."""
        self.key = key
        self.transcript = transcript
        self.value = ZERO
        self.point: list[K] = []
        """Challenges of all folds so far."""
        self.weights: list[tuple[K, Weight, int]] = []
        """Power, weight, and how many variables were left when it was claimed."""

    @property
    def left(self) -> int:
        """Variables not folded yet."""
        return self.key.variables - len(self.point)

    def join(self, claims: list[Claim], factor: K, power: K) -> None:
        """Add claims with rising powers of a challenge, from `power` on."""
        for claim in claims:
            self.value = add(self.value, mul(power, claim.value))
            self.weights.append((power, claim.weight, self.left))
            power = mul(power, factor)

    def fold(self, sent: Fold, pow_bits: int, step: str) -> None:
        """A sumcheck of quadratic polynomials; each is sent as h(0) and its leading coefficient."""
        one_round = [atom("Message", "round_poly", 2, "TE")]
        if pow_bits:
            one_round.append(atom("Pow", "round_pow", pow_bits, "TF"))
        one_round.append(atom("Challenge", "round_challenge", None, "TE"))
        steps = one_round * len(sent.polynomials)
        self.transcript.seed("p3-sumcheck-quadratic", 1, steps, [b"\x00"])
        for number, (constant, leading) in enumerate(sent.polynomials):
            self.transcript.absorb_extensions([constant, leading])
            self.transcript.grind(pow_bits, sent.witnesses[number], step)
            x = self.transcript.extension()
            linear = sub(sub(self.value, scale(constant, 2)), leading)
            self.value = add(constant, mul(x, add(linear, mul(leading, x))))
            self.point.append(x)

    def weight(self) -> K:
        """Σ power · weight, each at the last coordinates that were left when it was claimed."""
        result = ZERO
        for power, weight, left in self.weights:
            at = self.point[len(self.point) - left :]
            result = add(result, mul(power, weight(at)))
        return result


def at_query(x: int) -> Weight:
    """Evaluation at a point of the code's domain: Π (y · (x^(2^j) − 1) + 1)."""

    def weight(y: Sequence[K]) -> K:
        """The powers of x fall from the first coordinate to the last."""
        powers = [x]
        for _ in range(len(y) - 1):
            powers.append(powers[-1] * powers[-1] % P)
        pairs = zip(y, reversed(powers), strict=True)
        return product(add(scale(coordinate, p - 1), ONE) for coordinate, p in pairs)

    return weight


def draw_indices(entry: Round, transcript: Transcript) -> list[int]:
    """Positions of the rows that are opened, in the order they are drawn, repeats kept."""
    leaves = 1 << entry.log_leaves
    if entry.queries >= leaves:
        return list(range(leaves))
    return [transcript.word() % leaves for _ in range(entry.queries)]


def check_rows(root: bytes, entry: Round, indices: list[int], sent: Openings, step: str) -> None:
    """The rows are the tree's at these positions; every digest is used."""
    nodes: dict[int, bytes] = {}
    for index, leaf in zip(indices, sent.leaves, strict=True):
        hashed = keccak_256(leaf)
        require(nodes.setdefault(index, hashed) == hashed, f"{step}: two rows at one position")
    digests = iter(sent.digests)
    for _ in range(entry.log_leaves):
        parents: dict[int, bytes] = {}
        for index in sorted(nodes):
            if index >> 1 in parents:
                continue
            sibling = nodes.get(index ^ 1) or next(digests, None)
            require(sibling is not None, f"{step}: a digest is missing")
            assert sibling is not None
            pair = sibling + nodes[index] if index & 1 else nodes[index] + sibling
            parents[index >> 1] = keccak_256(pair)
        nodes = parents
    require(next(digests, None) is None, f"{step}: a digest is not used")
    require(nodes == {0: root}, f"{step}: rows are not the tree's")


def _verify_end(
    key: Key, messages: Messages, opening: Opening, root: bytes, transcript: Transcript
) -> None:
    """The final polynomial agrees with the last tree, and with all that was claimed."""
    entry, final = key.final, messages.final_polynomial
    transcript.absorb_extensions(final)
    transcript.grind(entry.pow_bits, messages.final_witness, "5 end")
    indices = draw_indices(entry, transcript)
    check_rows(root, entry, indices, messages.final_openings, "5 end")
    folds = opening.point[-key.folds[len(key.rounds)] :]
    for index, row in zip(indices, messages.final_openings.rows, strict=True):
        x = pow(ROOT_OF_UNITY, index << (32 - entry.log_leaves), P)
        value = ZERO
        for coefficient in reversed(final):
            value = add(scale(value, x), coefficient)
        require(value == evaluate(row, folds), "5 end: final polynomial and last tree")
    if key.final_variables:
        opening.fold(messages.final_fold, entry.fold_pow_bits, "5 end")
    tail = opening.point[len(opening.point) - key.final_variables :]
    expected = mul(opening.weight(), evaluate(final, tail))
    require(opening.value == expected, "5 end: claims and final polynomial")


def _seed(key: Key, transcript: Transcript) -> None:
    """The seed of the whole opening."""
    steps = bracket("initial_fold")
    for entry in key.rounds:
        steps.append(atom("Message", "commitment", None, "Opaque"))
        pair = [
            atom("Challenge", "ood_point", None, "TE"),
            atom("Message", "ood_answer", None, "TE"),
        ]
        steps += pair * entry.ood
        steps += _query_steps(entry, "query_pow", "query_indices")
        steps.append(atom("Challenge", "round_batching", None, "TE"))
        steps += bracket("round_fold")
    steps.append(atom("Message", "final_poly", 1 << key.final_variables, "TE"))
    steps += _query_steps(key.final, "final_query_pow", "final_query_indices")
    if key.final_variables:
        steps += bracket("final_fold")
    chunks = [u(key.variables), u(key.initial_ood), u(len(key.tables)), u(1 << key.folds[0])]
    chunks += [u(key.security_level), u(key.pow_bits), u(key.starting_log_inv_rate), u(1)]
    chunks += [u(2), u(len(key.folds)), *(u(fold) for fold in key.folds)]
    chunks += [u(key.folds[0]), u(key.initial_fold_pow_bits), u(key.final_variables)]
    chunks += [u(key.final.fold_pow_bits), u(len(key.rounds))]
    for place, entry in enumerate(key.rounds):
        chunks += [u(entry.log_inv_rate), u(key.folds[place + 1]), u(entry.fold_pow_bits)]
    transcript.seed("p3-whir", 3, steps, chunks)


def _query_steps(entry: Round, grinding: str, indices: str) -> list[str]:
    """Proof-of-work and positions, each only where there is any."""
    steps = []
    if entry.pow_bits:
        steps.append(atom("Pow", grinding, entry.pow_bits, "TF"))
    if entry.queries < 1 << entry.log_leaves:
        name = f"Atomic Challenge {len(indices)} {indices}"
        steps.append(f"{name} Fixed({entry.queries}) UniformBits({entry.log_leaves})")
    return steps

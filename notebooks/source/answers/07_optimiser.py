"""What to try on the checks of lesson 07."""

from __future__ import annotations

_SGD = """
def sgd_step(weight, gradient, velocity, rate, momentum=0.5, weight_decay=0.0):
    pull = gradient + weight_decay * weight
    velocity = momentum * velocity + pull
    return weight - rate * velocity, velocity
"""

_ADAM = """
def adam_step(weight, gradient, m, v, t, rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    pull = gradient + weight_decay * weight
    m = betas[0] * m + (1 - betas[0]) * pull
    v = betas[1] * v + (1 - betas[1]) * pull**2
    m_hat = m / (1 - betas[0] ** t)
    v_hat = v / (1 - betas[1] ** t)
    return weight - rate * m_hat / (v_hat.sqrt() + eps), m, v
"""

_COSINE = """
def cosine(t, t_max, highest, lowest):
    return lowest + 0.5 * (highest - lowest) * (1 + math.cos(math.pi * t / t_max))
"""

_MACHINE = """
class Machine(State):
    def record(self, loss):
        self.step += 1
        if loss < self.best:
            self.best = loss
            self.stalled = 0
            return "improved"
        self.stalled += 1
        if self.stalled < self.config.patience:
            return "wait"
        self.step = 0
        self.stalled = 0
        if self.phase == "adam":
            self.phase = "sgd"
            self.peak = self.config.sgd_lr
            return "switch"
        if self.peak / 2 < self.config.sgd_min_lr:
            self.phase = "stopped"
            return "stop"
        self.peak /= 2
        return "halve"
"""

_RUN = """
def run_pipeline(model, machine, train_epoch, validate, epochs):
    history, best = [], copy.deepcopy(model.state_dict())
    optimiser = make_optimiser(model, machine)
    while machine.phase != "stopped" and len(history) < epochs:
        for group in optimiser.param_groups:
            group["lr"] = machine.rate
        phase, rate = machine.phase, machine.rate
        train_loss = train_epoch(model, optimiser)
        val_loss = validate(model)
        event = machine.record(val_loss)
        history.append(dict(epoch=len(history), phase=phase, rate=rate,
                            train_loss=train_loss, val_loss=val_loss, event=event))
        if event == "improved":
            best = copy.deepcopy(model.state_dict())
        elif event != "wait":
            model.load_state_dict(best)
            optimiser = make_optimiser(model, machine)
    model.load_state_dict(best)
    return history
"""

_MAKE = "            optimiser = make_optimiser(model, machine)\n"


def _edit(code: str, *changes: tuple[str, str]) -> str:
    """The code with a mistake (or another way) in it."""
    for old, new in changes:
        assert old in code, old
        code = code.replace(old, new)
    return code


WRONG = {
    "sgd-step": [
        (_edit(_SGD, ("rate * velocity, velocity", "rate * velocity / (1 - momentum), velocity")), "divided by 1 - momentum"),
        (_edit(_SGD, ("return weight - rate * velocity, velocity", "return torch.stack([weight - rate * velocity, velocity])")), "expected: 2 things"),
        (_edit(_SGD, ("momentum * velocity + pull", "momentum**2 * velocity + pull")), "momentum is there twice"),
        (_edit(_SGD, ("gradient + weight_decay * weight", "(1 - weight_decay) * gradient + weight_decay * weight")), "without momentum it goes wrong"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay * weight.abs()")), "sign and all"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay")), "λ alone"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay * weight.sign()")), "L1 decay"),
        (_edit(_SGD, ("weight_decay * weight", "2 * weight_decay * weight")), "there twice"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay / 2 * weight.pow(2).sum()")), "decay's loss"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay * velocity")), "not of the velocity"),
        (_edit(_SGD, ("momentum * velocity + pull", "(1 - momentum) * velocity + pull")), "not by 1 - momentum"),
        (_edit(_SGD, ("+ pull", "+ rate * pull")), "there twice"),
        (_edit(_SGD, ("weight - rate * velocity", "weight - rate * (velocity + weight_decay * weight)")), "decay is there twice"),
        (_edit(_SGD, ("rate * velocity, velocity", "velocity, velocity")), "rate has no effect"),
        (_edit(_SGD, ("weight - rate", "-rate")), "from the weight"),
        (_edit(_SGD, ("rate * velocity, velocity", "rate * velocity, pull")), "g̃ was given back"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay * rate * weight")), "the rate stands in the decay"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay * weight ** 2")), "not its square"),
        (_edit(_SGD, ("rate * velocity, velocity", "rate * gradient, velocity")), "by the gradient alone"),
        (_edit(_SGD, ("    velocity = momentum * velocity + pull\n    return weight - rate * velocity, velocity", "    new = momentum * velocity + pull\n    return weight - rate * velocity, new")), "by the old velocity"),
        (_edit(_SGD, ("rate * velocity", "rate ** 2 * velocity")), "there twice"),
        (_edit(_SGD, ("+ pull", "+ pull / 2")), "halved"),
        (_edit(_SGD, ("return weight - rate * velocity, velocity", "return {\"weight\": weight - rate * velocity, \"velocity\": velocity}")), "expected: 2 things"),
        (_edit(_SGD, ("weight - rate", "weight + rate")), "uphill"),
        (_edit(_SGD, (" + weight_decay * weight", "")), "weight_decay has no effect"),
        (_edit(_SGD, ("+ weight_decay", "- weight_decay")), "mind its sign"),
        (_edit(_SGD, ("momentum * velocity + pull", "pull")), "momentum has no effect"),
        (_edit(_SGD, ("+ pull", "+ (1 - momentum) * pull")), "(1 - momentum)"),
        (_edit(_SGD, ("+ pull", "+ rate * pull"), ("weight - rate * velocity", "weight - velocity")),
         "inside the velocity"),
        (_edit(_SGD, ("rate * velocity", "rate * (momentum * velocity + pull)")), "Nesterov"),
        (_edit(_SGD, ("+ weight_decay * weight", ""),
               ("rate * velocity", "rate * (velocity + weight_decay * weight)")),
         "past the velocity"),
        (_edit(_SGD, (", velocity\n", "\n")), "a tensor, expected: 2 things"),
        (_edit(_SGD, ("velocity = momentum * velocity + pull", "velocity *= momentum\n    velocity += pull")),
         "changes its argument"),
        (_edit(_SGD, ("return weight - rate * velocity", "weight -= rate * velocity\n    return weight")),
         "changes its argument"),
        (_edit(_SGD, ("momentum * velocity + pull", "momentum * (velocity + pull)")), "not the gradient"),
        (_edit(_SGD, ("momentum * velocity + pull", "velocity + momentum * pull")),
         "stands at the gradient"),
        (_edit(_SGD, ("momentum * velocity", "0.5 * velocity")), "always 0.5"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay * gradient")), "not of the gradient"),
        (_edit(_SGD, ("weight_decay * weight", "0.5 * weight_decay * weight")), "halved the decay"),
        (_edit(_SGD, ("+ pull", "- pull")), "subtracted twice"),
        (_edit(_SGD, ("+ pull", "- pull"), ("weight - rate", "weight + rate")), "added in the end"),
        (_edit(_SGD, ("weight - rate * velocity, velocity", "velocity, weight - rate * velocity")),
         "the weight comes first"),
        (_edit(_SGD, ("    velocity = ", "    new = "), ("rate * velocity", "rate * new")),
         "the old velocity was given back"),
        (_edit(_SGD, ("rate * velocity, velocity", "rate * velocity, rate * velocity")),
         "without the rate"),
        (_edit(_SGD, ("momentum=0.5", "momentum=0.9")), "by default"),
        (_edit(_SGD, ("rate * velocity, vel", "rate * velocity.clamp(-1, 1), vel")), "momentum 0 and weight decay 0"),
        (_edit(_SGD, ("momentum=0.5, weight_decay=0.0", "momentum=0.5, weight_decay=1e-2")),
         "by default"),
        (_edit(_SGD, ("return weight - rate * velocity, velocity", "weight, velocity")),
         "gives None"),
        (_edit(_SGD, ("weight_decay * weight", "weight_decay * weights")),
         "name 'weights' is not defined"),
    ],
    "adam-step": [
        (_edit(_ADAM, ("betas[1] ** t", "betas[0] ** t")), "β₂ belongs to v"),
        (_edit(_ADAM, ("v_hat.sqrt() + eps", "v_hat.sqrt() - eps")), "with eps = 0 it is right"),
        (_edit(_ADAM, ("(1 - betas[0]) * pull", "(1 - betas[0]) * gradient")), "without weight decay it is right"),
        (_edit(_ADAM, ("pull**2", "pull.norm() ** 2")), "a v of its own"),
        (_edit(_ADAM, ("m / (1 - betas[0] ** t)", "m / 1 - betas[0] ** t"), ("v / (1 - betas[1] ** t)", "v / 1 - betas[1] ** t"), ("v_hat.sqrt()", "v_hat.abs().sqrt()")), "brackets are missing"),
        (_edit(_ADAM, ("m / (1", "m * (1"), ("v / (1", "v * (1")), "are larger"),
        (_edit(_ADAM, ("(1 - betas[1]) * pull**2", "((1 - betas[1]) * pull) ** 2")), "not 1 - β₂ with it"),
        (_edit(_ADAM, ("m / (1 - betas[0]", "m / (1 - betas[2]"), ("v / (1 - betas[1]", "v / (1 - betas[0]"), ("betas[2]", "betas[1]")), "v̂ by β₂"),
        (_edit(_ADAM, ("m_hat / (v_hat.sqrt() + eps)", "(m_hat / v_hat.sqrt() + eps)")), "below the fraction line"),
        (_edit(_ADAM, ("+ weight_decay * weight", ""), ("return weight", "return weight - weight_decay * weight")), "a part of g̃"),
        (_edit(_ADAM, ("weight_decay * weight", "0.5 * weight_decay * weight")), "halved the decay"),
        (_edit(_ADAM, ("weight_decay * weight", "rate * weight_decay * weight")), "rate stands in"),
        (_edit(_ADAM, ("weight_decay * weight", "weight_decay * weight**2")), "not its square"),
        (_edit(_ADAM, ("weight_decay * weight", "weight_decay * gradient")), "not of the gradient"),
        (_edit(_ADAM, ("betas[0] * m + (1 - betas[0])", "(1 - betas[0]) * m + betas[0]")), "in m,"),
        (_edit(_ADAM, ("betas[1] * v + (1 - betas[1])", "(1 - betas[1]) * v + betas[1]")), "in v,"),
        (_edit(_ADAM, ("(v_hat.sqrt() + eps)", "(v.sqrt() / (1 - betas[1] ** t) + eps)")), "before the correction"),
        (_edit(_ADAM, ("weight - rate", "-rate")), "from the weight"),
        (_edit(_ADAM, ("betas[1]", "betas[0]")), "β₂ is never used"),
        (_edit(_ADAM, ("m_hat / (v_hat.sqrt() + eps)", "m_hat / v_hat.sqrt() + eps")), "below the fraction line"),
        (_edit(_ADAM, ("rate * m_hat", "rate * pull")), "m̂ belongs there"),
        (_edit(_ADAM, ("(1 - betas[0] ** t)", "(betas[0] ** t)"), ("(1 - betas[1] ** t)", "(betas[1] ** t)")), "not by β ** t"),
        (_edit(_ADAM, ("rate * m_hat", "rate * m_hat / (1 - betas[0] ** t)")), "corrected twice"),
        (_edit(_ADAM, ("pull**2", "pull.abs()")), "*squared* gradient"),
        (_edit(_ADAM, ("m / (1 - betas[0] ** t)", "m"), ("v / (1 - betas[1] ** t)", "v")),
         "no bias correction"),
        (_edit(_ADAM, ("** t)", "** (t + 1))")), "t = 1 already"),
        (_edit(_ADAM, ("(v_hat.sqrt() + eps)", "(v_hat + eps).sqrt()")), "under the root"),
        (_edit(_ADAM, ("v_hat.sqrt()", "v_hat")), "take its root"),
        (_edit(_ADAM, ("m_hat = m /", "m_hat = m = m /"), ("v_hat = v /", "v_hat = v = v /")),
         "handed on"),
        (_edit(_ADAM, ("betas[0]", "BETA"), ("betas[1]", "betas[0]"), ("BETA", "betas[1]")),
         "β₁ belongs to m"),
        (_edit(_ADAM, (" + weight_decay * weight", "")), "no effect"),
        (_edit(_ADAM, (" + weight_decay * weight", ""),
               ("return weight -", "return weight * (1 - rate * weight_decay) -")), "AdamW"),
        (_edit(_ADAM, ("pull**2", "gradient**2")), "into both means"),
        (_edit(_ADAM, ("v = betas[1] * v +", "v *= betas[1]\n    v = v +")), "changes its argument"),
        (_edit(_ADAM, ("weight - rate", "weight + rate")), "uphill"),
        (_edit(_ADAM, ("pull**2", "pull")), "*squared* gradient"),
        (_edit(_ADAM, ("pull**2", "m**2")), "square of m"),
        (_edit(_ADAM, ("m / (1 - betas[0] ** t)", "m")), "only v is corrected"),
        (_edit(_ADAM, ("v / (1 - betas[1] ** t)", "v")), "only m is corrected"),
        (_edit(_ADAM, ("** t)", "** (t - 1))")), "corrects nothing"),
        (_edit(_ADAM, (" ** t)", ")")), "t has no effect"),
        (_edit(_ADAM, ("(1 - betas[0] ** t)", "(1 - betas[0]) ** t"),
               ("(1 - betas[1] ** t)", "(1 - betas[1]) ** t")), "another number"),
        (_edit(_ADAM, ("betas[0] * m + (1 - betas[0])", "(1 - betas[0]) * m + betas[0]"),
               ("betas[1] * v + (1 - betas[1])", "(1 - betas[1]) * v + betas[1]")),
         "have changed places"),
        (_edit(_ADAM, ("(1 - betas[0]) * pull", "pull"), ("(1 - betas[1]) * pull", "pull")),
         "counts in full"),
        (_edit(_ADAM, ("v_hat.sqrt() + eps", "v_hat.sqrt()")), "eps has no effect"),
        (_edit(_ADAM, ("+ eps)", "+ 1e-8)")), "eps has no effect"),
        (_edit(_ADAM, ("+ weight_decay", "- weight_decay")), "mind its sign"),
        (_edit(_ADAM, ("), m, v\n", "), v, m\n")), "is weight, m, v"),
        (_edit(_ADAM, ("    m = ", "    new = "), ("m_hat = m /", "m_hat = new /")),
         "the old m was given back"),
        (_edit(_ADAM, ("    v = ", "    new = "), ("v_hat = v /", "v_hat = new /")),
         "the old v was given back"),
        (_edit(_ADAM, ("betas[0]", "0.9"), ("betas[1]", "0.999")), "the new m is wrong"),
        (_edit(_ADAM, ("rate * m_hat", "m_hat")), "the rate is missing"),
        (_edit(_ADAM, ("eps=1e-8", "eps=1e-6")), "by default"),
        (_edit(_ADAM, ("(0.9, 0.999)", "(0.9, 0.99)")), "by default"),
        (_edit(_ADAM, ("v_hat.sqrt()", "math.sqrt(v_hat)")), "a tensor has"),
        (_edit(_ADAM, ("), m, v\n", ")\n")), "a tensor, expected: 3 things"),
    ],
    "cosine": [
        (_edit(_COSINE, ("math.pi * t / t_max", "math.pi / t * t_max")), "below the fraction line stands T"),
        (_edit(_COSINE, ("(highest - lowest)", "highest"), ("lowest +", "0 +")), "it ends at 0"),
        (_edit(_COSINE, ("lowest + 0.5 * (highest - lowest) * (1 + math.cos(math.pi * t / t_max))", "highest * (lowest / highest) ** (t / t_max)")), "half-way"),
        (_edit(_COSINE, ("lowest + 0.5 * (highest - lowest)", "0.5 * (highest + lowest)")), "*minus*"),
        (_edit(_COSINE, ("highest - lowest", "lowest - highest")), "not l_min - l_max"),
        (_edit(_COSINE, ("(highest - lowest) *", "highest - lowest *")), "is one factor"),
        (_edit(_COSINE, ("(1 + math.cos(math.pi * t / t_max))", "1 + math.cos(math.pi * t / t_max)")), "is one factor"),
        (_edit(_COSINE, ("return lowest", "return highest")), "not l_max"),
        (_edit(_COSINE, ("    return", "    if t >= t_max:\n        return highest\n    return")), "from T on"),
        (_edit(_COSINE, ("0.5 *", "0.25 *")), "a quarter"),
        (_edit(_COSINE, ("t / t_max)", "t / t_max) ** 2")), "is squared"),
        (_edit(_COSINE, ("/ t_max", "/ (t_max + 1)")), "one epoch late"),
        (_edit(_COSINE, ("* t /", "* (t - 1) /")), "not subtract 1"),
        (_edit(_COSINE, ("math.cos(math.pi * t / t_max)", "math.cos(math.pi) * t / t_max")), "inside the cosine"),
        (_edit(_COSINE, ("math.pi", "3.14")), "rounded"),
        (_edit(_COSINE, ("math.cos(", "torch.cos(")), "math.cos"),
        (_edit(_COSINE, ("math.cos(", "math.sin(")), "that is a sine"),
        (_edit(_COSINE, ("math.pi * t", "math.pi * t / 2")), "a quarter of a turn"),
        (_edit(_COSINE, ("math.pi", "180")), "a half turn is math.pi"),
        (_edit(_COSINE, ("(highest - lowest)", "(highest + lowest)")), "*minus*"),
        (_edit(_COSINE, ("(1 + math.cos(math.pi * t / t_max))", "(1 + math.cos(math.pi * t / t_max)) ** 2 / 2")), "no square"),
        (_edit(_COSINE, ("/ t_max", "/ (t_max - 1)")), "not T - 1"),
        (_edit(_COSINE, ("math.cos(math.pi * t / t_max)", "abs(math.cos(math.pi * t / t_max))")), "keeps its sign"),
        (_edit(_COSINE, ("return", "if t > t_max: return 0.0\n    return")), "it is 0 after T"),
        (_edit(_COSINE, ("    return", "    t = min(t, t_max)\n    return")), "stays at l_min"),
        (_edit(_COSINE, ("* t /", "* (t % t_max) /")), "starts again"),
        (_edit(_COSINE, ("math.pi * t", "2 * math.pi * t")), "2π"),
        (_edit(_COSINE, ("lowest + 0.5 * (highest - lowest)", "highest + 0.5 * (lowest - highest)")),
         "the wrong way round"),
        (_edit(_COSINE, ("0.5 * ", "")), "half is missing"),
        (_edit(_COSINE, ("(highest - lowest)", "highest")), "spans"),
        (_edit(_COSINE, ("math.pi * t / t_max", "math.radians(math.pi * t / t_max)")), "radians"),
        (_edit(_COSINE, ("* t /", "* (t + 1) /")), "do not add 1"),
        (_edit(_COSINE, ("(1 + math", "(1 - math")), "wrong way round"),
        (_edit(_COSINE, ("(1 + math.cos(math.pi * t / t_max))", "math.cos(math.pi * t / t_max)")),
         "1 is added"),
        (_edit(_COSINE, ("lowest + 0.5", "0.5")), "l_min is added"),
        (_edit(_COSINE, ("t / t_max", "(t // t_max)")), "whole number"),
        (_edit(_COSINE, ("    return", "    lowest = highest / 2\n    return")), "not l_max / 2"),
        (_edit(_COSINE, ("0.5 * (highest - lowest) * (1 + math.cos(math.pi * t / t_max))",
                         "(highest - lowest) * (1 - t / t_max)")), "straight line"),
        (_edit(_COSINE, ("t_max)", "50)"), ), "t_max, not 50"),
        (_edit(_COSINE, ("math.pi * t", "t")), "no π"),
        (_edit(_COSINE, ("return lowest", "return torch.tensor(lowest)")), "expected: a float"),
        (_edit(_COSINE, ("math.pi", "pi")), "`math.pi`"),
    ],
    "patience": [
        (_edit(_MACHINE, ("        self.stalled += 1\n", "        self.stalled += loss > self.best\n")), "a stalled one"),
        (_edit(_MACHINE, ('            return "switch"\n', "")), "at one event"),
        (_edit(_MACHINE, ("            self.best = loss\n", "")), "and not kept"),
        (_edit(_MACHINE, ("self.peak /= 2", "self.config.sgd_lr /= 2")), "the settings in self.config stay"),
        (_edit(_MACHINE, ('"improved"', '"improve"')), "the events are called"),
        (_edit(_MACHINE, ("self.peak /= 2\n", "self.peak /= 2\n        self.best = math.inf\n")), "outlives every phase"),
        (_edit(_MACHINE, ("self.config.sgd_min_lr", "self.config.sgd_lr / 4")), "stops above"),
        (_edit(_MACHINE, ("self.peak /= 2", "self.peak = self.config.sgd_lr / 2")), "half the *last*"),
        (_edit(_MACHINE, ("self.stalled < self", "self.step < self")), "after one epoch"),
        (_edit(_MACHINE, ("self.peak / 2 < ", "self.peak <= ")), "goes on below"),
        (_edit(_MACHINE, ("self.peak /= 2", "self.peak -= 0.01")), "half the last peak"),
        (_edit(_MACHINE, ("self.peak /= 2\n", "self.peak = self.peak\n")), "the peak is 0.01"),
        (_edit(_MACHINE, ("return \"halve\"", "self.phase = \"halved\"\n        return \"halve\"")), "the phases are called adam"),
        (_edit(_MACHINE, ("self.stalled = 0\n            return", "self.stalled = 1\n            return")), "after one epoch"),
        (_edit(_MACHINE, ("self.config.patience", "12")), "did not end the phase"),
        (_edit(_MACHINE, ("            self.best = loss\n", "            self.best = loss\n"), ("        self.stalled += 1\n", "        self.best = loss\n        self.stalled += 1\n")), "outlives a phase"),
        (_edit(_MACHINE, ("loss < self.best", "loss <= self.best")), "equal loss"),
        (_edit(_MACHINE, ("self.step = 0\n        self.stalled = 0\n", "self.step = 0\n")),
         "counter must go back"),
        (_edit(_MACHINE, ("self.step = 0\n        self.stalled = 0\n", "self.stalled = 0\n")),
         "step back to 0"),
        (_edit(_MACHINE, ("self.step = 0\n", "self.step = 0\n        self.best = math.inf\n")),
         "outlives a phase"),
        (_edit(_MACHINE, ("            self.stalled = 0\n            return \"improved\"",
                          "            return \"improved\"")),
         "counter of stalled epochs to 0"),
        (_edit(_MACHINE, ("self.stalled < self.config.patience", "self.stalled <= self.config.patience")),
         "did not end the phase"),
        (_edit(_MACHINE, ("self.stalled < self.config.patience", "self.stalled < self.config.patience - 1")),
         "after one epoch"),
        (_edit(_MACHINE, ("self.peak / 2 <", "self.peak / 2 <=")), "which is allowed"),
        (_edit(_MACHINE, ("self.peak / 2 <", "self.peak <")), "is the *next*"),
        (_edit(_MACHINE, ("self.peak = self.config.sgd_lr", "self.peak /= 2")), "config.sgd_lr"),
        (_edit(_MACHINE, ("loss < self.best", "loss < self.best - 1e-4")), "if by little"),
        (_edit(_MACHINE, ("self.config.sgd_lr", "0.02")), "config.sgd_lr"),
        (_edit(_MACHINE, ("self.config.sgd_min_lr", "0.005")), "below config.sgd_min_lr"),
        (_edit(_MACHINE, ("self.config.patience", "max(2, self.config.patience)")),
         "four phases of 1 epochs"),
        (_edit(_MACHINE, ("self.best", "self.lowest"),
               ("    def record(self, loss):", "    lowest = math.inf\n    def record(self, loss):")),
         "and not kept: self.best"),
        (_edit(_MACHINE, ("config.patience", "patience")), "stand in self.config"),
        (_edit(_MACHINE, ('"switch"', '"sgd"')), "the events are called"),
        (_edit(_MACHINE, ('self.phase = "sgd"', 'self.phase = "SGD"'),
               ('self.phase == "adam"', 'self.phase != "SGD"')), "the phases are called adam"),
        (_edit(_MACHINE, ("self.peak /= 2", "self.peak = self.rate / 2"),
               ("self.step = 0\n        self.stalled = 0\n", "self.stalled = 0\n"),
               ('return "switch"', 'self.step = 0\n            return "switch"'),
               ('return "halve"', 'self.step = 0\n        return "halve"')), "peak is 0.01"),
        (_edit(_MACHINE, ("self.best = loss\n", "self.best = loss\n            self.step = 0\n")),
         "no reason to restart"),
        (_edit(_MACHINE, ("self.step += 1", "pass")), "stands still"),
        (_edit(_MACHINE, ("        self.step += 1\n", ""),
               ("self.stalled += 1", "self.stalled += 1\n        self.step += 1")), "improved or not"),
        (_edit(_MACHINE, ('            return "improved"', "            pass")), "improvement"),
        (_edit(_MACHINE, ('            self.phase = "stopped"\n', "")), "it goes on"),
        (_edit(_MACHINE, ('        return "halve"\n', "")), "None"),
    ],
    "run-pipeline": [
        (_edit(_RUN, ("copy.deepcopy(model.state_dict())\n        elif", "copy.deepcopy(model)\n        elif")), "a state is loaded, no model"),
        (_edit(_RUN, ("train_epoch(model, optimiser)", "train_epoch(optimiser, model)")), "have changed places"),
        (_edit(_RUN, ("machine.record(val_loss)", "machine.record(train_loss)")), "record each val_loss"),
        (_edit(_RUN, ("        train_loss = train_epoch(model, optimiser)\n        val_loss = validate(model)\n", "        val_loss = validate(model)\n        train_loss = train_epoch(model, optimiser)\n")), "after its training"),
        (_edit(_RUN, ("optimiser = make_optimiser(model, machine)\n    while", "optimiser = torch.optim.Adam(model.parameters(), lr=machine.rate)\n    while"), ("            optimiser = make_optimiser(model, machine)", "            optimiser = torch.optim.SGD(model.parameters(), lr=machine.rate)")), "within a phase"),
        (_edit(_RUN, ("elif event != \"wait\"", "elif event == \"switch\"")), "load the best state, too"),
        (_edit(_RUN, ("copy.deepcopy(model.state_dict())", "model.state_dict()")), "loaded into `model`? copied"),
        (_edit(_RUN, ("copy.deepcopy(model.state_dict())", "dict(model.state_dict())")), "copied, and only"),
        (_edit(_RUN, ("            model.load_state_dict(best)\n            optimiser", "            optimiser")),
         "loaded into `model`?"),
        (_edit(_RUN, (_MAKE, "")), "SGD never"),
        (_edit(_RUN, (_MAKE, "            if event == 'switch':\n    " + _MAKE)),
         "old momentum"),
        (_edit(_RUN, ("    model.load_state_dict(best)\n    return", "    return")), "last weights"),
        (_edit(_RUN, ('            group["lr"] = machine.rate', "            pass")), "put machine.rate"),
        (_edit(_RUN, ("    return history", "    return None")), "`return`"),
        (_edit(_RUN, ("phase=phase, rate=rate", "phase=machine.phase, rate=machine.rate")),
         "note it before"),
        (_edit(_RUN, ("phase=phase", "phase=machine.phase")), "note it before"),
        (_edit(_RUN, ("copy.deepcopy(model.state_dict())",
                      "{k: p.detach().clone() for k, p in model.named_parameters()}"),
               ("load_state_dict(best)", "load_state_dict(best, strict=False)")), "buffers were not"),
        (_edit(_RUN, ('machine.phase != "stopped"', 'machine.phase == "adam"')), "first phase"),
        (_edit(_RUN, ("        train_loss = train", _MAKE[4:] + "        train_loss = train")),
         "within a phase"),
        (_edit(_RUN, ("len(history) < epochs", "len(history) <= epochs")), "5 epochs at most"),
        (_edit(_RUN, (", event=event", "")), "an entry needs"),
        (_edit(_RUN, ('machine.phase != "stopped" and ', "")), "when the machine has stopped"),
        (_edit(_RUN, (" and len(history) < epochs", "")), "5 epochs at most"),
        (_edit(_RUN, ('elif event != "wait"', "else")), "after 'wait' nothing is loaded"),
        (_edit(_RUN, ("        elif event", ("        else:\n            model.load_state_dict(best)\n"
                      '        if event not in ("improved", "wait"):\n'
                      "            optimiser = make_optimiser(model, machine)\n        if 0 and event"))),
         "after 'wait' nothing is loaded"),
        (_edit(_RUN, ('if event == "improved"', 'if event in ("improved", "wait")'),
               ("elif event", "if event")), "the state of the best epoch"),
        (_edit(_RUN, ("epoch=len(history)", "epoch=len(history) + 1")), "epoch of epoch 0 is another"),
        (_edit(_RUN, ("dict(epoch=len(history), phase=phase, rate=rate,", "(len(history), phase, rate,"),
               ("train_loss=train_loss, val_loss=val_loss, event=event)", "train_loss, val_loss, event)")),
         "an entry needs"),
        (_edit(_RUN, ("    return history", "    return history, model")), "expected: a list"),
        (_edit(_RUN, (_MAKE, ("            optimiser = torch.optim.SGD(model.parameters(), machine.rate,"
                      " 0.5, weight_decay=1e-7)\n"))), "AdamToSGD"),
        (_edit(_RUN, (("        for group in optimiser.param_groups:\n"
                      '            group["lr"] = machine.rate\n'),
                      "        optimiser.lr = machine.rate\n")), "put machine.rate"),
        (_edit(_RUN, ("load_state_dict(best)", "load_state_dict(best.state_dict())")),
         "AttributeError"),
    ],
}  # fmt: skip

RIGHT = {
    "sgd-step": [
        _edit(
            _SGD,
            (
                "pull = gradient + weight_decay * weight",
                "pull = torch.add(gradient, weight, alpha=weight_decay)",
            ),
        ),
        """
def sgd_step(weight, gradient, velocity, rate, momentum=0.5, weight_decay=0.0):
    new = velocity.clone().mul_(momentum).add_(gradient).add_(weight, alpha=weight_decay)
    return weight.sub(new, alpha=rate), new
""",
        _edit(
            _SGD,
            (
                "return weight - rate * velocity, velocity",
                "return [weight - velocity * rate, velocity]",
            ),
        ),
        _SGD,
        """
def sgd_step(weight, gradient, velocity, rate, momentum=0.5, weight_decay=0.0):
    new = torch.add(gradient, weight, alpha=weight_decay).add(velocity, alpha=momentum)
    return weight.sub(new, alpha=rate), new
""",
        """
def sgd_step(weight, gradient, velocity, rate, momentum=0.5, weight_decay=0.0):
    velocity = velocity.clone()
    velocity *= momentum
    velocity += gradient + weight_decay * weight
    weight = weight.clone()
    weight -= rate * velocity
    return weight, velocity
""",
        """
def sgd_step(weight, gradient, velocity, rate, momentum=0.5, weight_decay=0.0):
    twin = nn.Parameter(weight.clone())
    twin.grad = gradient.clone()
    sgd = torch.optim.SGD([twin], rate, momentum=momentum, weight_decay=weight_decay)
    if momentum:
        sgd.state[twin]["momentum_buffer"] = velocity.clone()
    sgd.step()
    return [twin.detach(), momentum * velocity + gradient + weight_decay * weight]
""",
    ],
    "adam-step": [
        _edit(_ADAM, ("pull**2", "pull * pull"), ("v_hat.sqrt()", "torch.sqrt(v_hat)")),
        _edit(
            _ADAM, ("m = betas[0] * m + (1 - betas[0]) * pull", "m = torch.lerp(pull, m, betas[0])")
        ),
        _edit(
            _ADAM,
            (
                "    m_hat = m / (1 - betas[0] ** t)\n    v_hat = v / (1 - betas[1] ** t)\n    return weight - rate * m_hat / (v_hat.sqrt() + eps), m, v",
                "    scale = (1 - betas[1] ** t) ** 0.5\n    return weight - rate / (1 - betas[0] ** t) * m / (v.sqrt() / scale + eps), m, v",
            ),
        ),
        _ADAM,
        """
def adam_step(weight, gradient, m, v, t, rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    a, b = betas
    g = weight_decay * weight + gradient
    m, v = torch.lerp(g, m, a), b * v + (1 - b) * g * g
    long = rate * math.sqrt(1 - b**t) / (1 - a**t)
    return weight - long * m / (v.sqrt() + eps * math.sqrt(1 - b**t)), m, v
""",
        """
def adam_step(weight, gradient, m, v, t, rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    gradient = gradient.add(weight, alpha=weight_decay)
    m = m.clone().mul_(betas[0]).add_(gradient, alpha=1 - betas[0])
    v = v.clone().mul_(betas[1]).addcmul_(gradient, gradient, value=1 - betas[1])
    down = torch.sqrt(v / (1 - betas[1] ** t)) + eps
    return weight.addcdiv(m / (1 - betas[0] ** t), down, value=-rate), m, v
""",
    ],
    "cosine": [
        _edit(_COSINE, ("math.cos(math.pi * t / t_max)", "float(np.cos(np.pi * t / t_max))")),
        _edit(
            _COSINE,
            (
                "lowest + 0.5 * (highest - lowest) * (1 + math.cos(math.pi * t / t_max))",
                "lowest + (highest - lowest) * math.cos(math.pi * t / (2 * t_max)) ** 2",
            ),
        ),
        _edit(
            _COSINE,
            (
                "lowest + 0.5 * (highest - lowest) * (1 + math.cos(math.pi * t / t_max))",
                "(highest + lowest) / 2 + (highest - lowest) / 2 * math.cos(t * math.pi / t_max)",
            ),
        ),
        _COSINE,
        """
def cosine(t, t_max, highest, lowest):
    middle, half = (highest + lowest) / 2, (highest - lowest) / 2
    return float(middle + half * np.cos(np.pi * t / t_max))
""",
        """
def cosine(t, t_max, highest, lowest):
    share = math.cos(0.5 * math.pi * t / t_max) ** 2
    return share * highest + (1 - share) * lowest
""",
    ],
    "patience": [
        _edit(
            _MACHINE,
            ("if loss < self.best:", "if self.best > loss:"),
            ("self.peak /= 2", "self.peak = 0.5 * self.peak"),
        ),
        _edit(
            _MACHINE,
            (
                'self.stalled += 1\n        if self.stalled < self.config.patience:\n            return "wait"',
                'if self.stalled + 1 < self.config.patience:\n            self.stalled += 1\n            return "wait"',
            ),
        ),
        _edit(
            _MACHINE,
            (
                "        self.step += 1\n",
                '        self.step = self.step + 1\n        assert self.phase != "stopped"\n',
            ),
        ),
        _MACHINE,
        """
class Machine(State):
    def record(self, loss):
        self.step += 1
        self.stalled = 0 if loss < self.best else self.stalled + 1
        self.best = min(self.best, loss)
        if self.stalled == 0:
            return "improved"
        if self.stalled != self.config.patience:
            return "wait"
        self.step, self.stalled = 0, 0
        following = self.config.sgd_lr if self.phase == "adam" else 0.5 * self.peak
        if following < self.config.sgd_min_lr:
            self.phase = "stopped"
            return "stop"
        event = "switch" if self.phase == "adam" else "halve"
        self.phase, self.peak = "sgd", following
        return event
""",
        """
class Machine(State):
    def record(self, loss):
        if self.best > loss:
            self.best, self.stalled, self.step = loss, 0, self.step + 1
            return "improved"
        if self.stalled + 1 < self.config.patience:
            self.stalled, self.step = self.stalled + 1, self.step + 1
            return "wait"
        self.stalled, self.step = 0, 0
        if self.phase == "adam":
            self.phase = "sgd"
            self.peak = self.config.sgd_lr
            event = "switch"
        elif self.peak >= 2 * self.config.sgd_min_lr:
            self.peak = self.peak / 2
            event = "halve"
        else:
            self.phase = event = "stopped"
        return event if event != "stopped" else "stop"
""",
    ],
    "run-pipeline": [
        _edit(
            _RUN,
            (
                "copy.deepcopy(model.state_dict())",
                "{k: v.clone() for k, v in model.state_dict().items()}",
            ),
        ),
        _edit(
            _RUN,
            (
                'while machine.phase != "stopped" and len(history) < epochs:',
                'for _ in range(epochs):\n        if machine.phase == "stopped":\n            break',
            ),
        ),
        _edit(_RUN, ('elif event != "wait":', 'elif event in ("switch", "halve", "stop"):')),
        _RUN,
        """
def run_pipeline(model, machine, train_epoch, validate, epochs):
    history = []
    best = None
    optimiser = make_optimiser(model, machine)
    for epoch in range(epochs):
        if machine.phase == "stopped":
            break
        entry = {"epoch": epoch, "phase": machine.phase, "rate": machine.rate}
        entry["train_loss"] = train_epoch(model, optimiser)
        entry["val_loss"] = validate(model)
        entry["event"] = machine.record(entry["val_loss"])
        if entry["event"] == "improved":
            best = {key: value.clone() for key, value in model.state_dict().items()}
        if entry["event"] in ("switch", "halve", "stop"):
            model.load_state_dict(best)
            optimiser = make_optimiser(model, machine)
        for group in optimiser.param_groups:
            group["lr"] = machine.rate
        history.append(entry)
    if best is not None:
        model.load_state_dict(best)
    return history
""",
        """
def run_pipeline(model, machine, train_epoch, validate, epochs):
    history, optimiser, kept = [], make_optimiser(model, machine), copy.deepcopy(model)
    while len(history) < epochs:
        phase, rate = machine.phase, machine.rate
        optimiser.param_groups[0].update(lr=rate)
        train_loss, val_loss = train_epoch(model, optimiser), validate(model)
        event = machine.record(val_loss)
        history += [{"event": event, "val_loss": val_loss, "train_loss": train_loss, "rate": rate,
                     "phase": phase, "epoch": len(history), "best": machine.best}]
        if event == "improved":
            kept = copy.deepcopy(model)
        if event in ("switch", "halve"):
            model.load_state_dict(kept.state_dict())
            optimiser = make_optimiser(model, machine)
        if event == "stop":
            break
    model.load_state_dict(kept.state_dict())
    return history
""",
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "adam-step": [
        (
            "m = betas[0] * m + (1 - betas[0]) * pull",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "v = betas[1] * v + (1 - betas[1]) * pull**2",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "m_hat = m / (1 - betas[0] ** t)",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
    ],
    "run-pipeline": [
        (
            "history, best = [], copy.deepcopy(model.state_dict())",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "history, best = [], copy.deepcopy(model.state_dict())",
            "copy.deepcopy(model.state_dict())) → model.state_dict())",
            "the first epoch always improves on infinity, and its state takes this one's place",
        ),
        (
            "history, best = [], copy.deepcopy(model.state_dict())",
            "copy.deepcopy(model.state_dict())) → copy.deepcopy(model))",
            "the first epoch always improves on infinity, and its state takes this one's place",
        ),
        (
            "for group in optimiser.param_groups:",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            'entry["event"] = machine.record(entry["val_loss"])',
            "this and the next in the other order",
            "the entry is the same dictionary, before and after it is appended",
        ),
        (
            "model.load_state_dict(best)",
            "this and the next in the other order",
            "loading fills the parameters that the optimiser holds",
        ),
    ],
}

"""Known mistakes in lessons 06 and 07 that end in an exception: kind, cause, what to say."""

from __future__ import annotations

from typing import Any

#: By exercise, each as `Check.crashes` takes it.
CRASHES: dict[str, tuple[Any, ...]] = {
    "gradient-share": (
        (
            (IndexError, ValueError),
            r"axis is 19|\(19,\)",
            "19 classes are written in: there are len(counts)",
        ),
        (
            ZeroDivisionError,
            "division by zero",
            "a class without pixels makes a weight infinite: leave it at 0",
        ),
        (
            ValueError,
            "boolean array indexing assignment|could not broadcast",
            "both sides want the mask: `weights[present] = 1 / counts[present]`",
        ),
    ),
    "soft-dice": (
        (
            RuntimeError,
            r"a \(5\) .* b \(4\) .* dimension 1",
            "one_hot found 4 classes: tell it how many",
        ),
        (
            RuntimeError,
            r"a \(5\) .* b \(19\) ",
            "19 classes are written in: there are logits.shape[1]",
        ),
        (
            RuntimeError,
            r"a \((5|2)\) .* b \((2|5)\) .* dimension 0",
            "p[c] is an image: the probabilities of class c are p[:, c]",
        ),
        (
            RuntimeError,
            r"a \((5|2)\) .* b \((2|5)\) .* dimension 1",
            "y is (C, B, H, W) here: movedim(-1, 1), to place 1",
        ),
        (
            RuntimeError,
            r"a \((3|4)\) .* b \((4|3)\) .* dimension (2|3)",
            "H and W changed places: movedim(-1, 1)",
        ),
        (
            RuntimeError,
            "dimension 1$",
            "p or y lacks the classes: both are (B, C, H, W), so no arg-max",
        ),
        (
            RuntimeError,
            r"a \((5|4)\) .* b \((4|5)\) .* dimension 3",
            "one_hot gives (B, H, W, C): move its last dimension to place 1",
        ),
        (
            RuntimeError,
            "smaller than num_classes",
            "there are logits.shape[1] classes: the largest id is one less",
        ),
        (
            RuntimeError,
            "mean.*dtype",
            "a mean of bools: make numbers of them, `.to(p)`, or take sums",
        ),
        (
            IndexError,
            "shape of the mask|indexed tensor",
            "one number for each class is wanted: is y one-hot, (B, C, H, W), the sum (0, 2, 3)?",
        ),
    ),
    "lovasz-softmax": (
        (RuntimeError, "with a bool tensor", "make numbers of the foreground: `.to(p)`"),
        (
            TypeError,
            "invert",
            "lovasz_gradient takes the sorted foreground, of bools: no errors, and no `.float()`",
        ),
        (
            IndexError,
            "used as indices",
            "`sort` gives the values first and then the order: `errors, order = errors.sort(…)`",
        ),
        (
            RuntimeError,
            "diff expects prepend",
            "a class's pixels are one long row, (P,): flatten the images, too, before you sort",
        ),
        (
            RuntimeError,
            r"\(24\) .* \(12\)|\(12\) .* \(24\)",
            "the pixels of one image meet those of both: movedim(1, -1), then flatten(0, 2)",
        ),
        (
            IndexError,
            "too many indices for tensor of dimension 0",
            "the foreground is one number, and not one for each pixel: `foreground = target == c`",
        ),
        (
            IndexError,
            "too many indices",
            "`sort` gives two things: `errors, order = errors.sort(descending=True)`",
        ),
        (RuntimeError, r"\(24\) .* \((5|60)\)", "the class's probabilities are a column: p[:, c]"),
        (
            RuntimeError,
            r"\(24\) .* \((3|4)0\)|\((3|4)0\) .* \(24\)",
            "classes are dimension 1: movedim(1, -1) before you flatten",
        ),
        (RuntimeError, r"\(4\) .* \(24\)", "the target is not flat: target.flatten()"),
        (RuntimeError, "shape '.*19", "19 is written in: there are logits.shape[1] classes"),
        (
            (ZeroDivisionError, RuntimeError),
            "division|non-empty TensorList",
            "no class was visited: visit `target.unique()`, whatever ids are in it",
        ),
    ),
    "lovasz-gradient": (
        (
            (RuntimeError, NotImplementedError),
            "with a bool tensor|on a bool tensor",
            "bools cannot be subtracted: the opposite of foreground is ~foreground, size a sum",
        ),
        (
            RuntimeError,
            "Boolean value of Tensor",
            "pixel by pixel, ~foreground: no `not`, `if`",
        ),
        (RuntimeError, "one-dimensional", "J is needed after each pixel: cumsum, not sum"),
        (TypeError, "prepend", "`prepend` wants a tensor, such as torch.zeros(1)"),
        (
            RuntimeError,
            "diff expects prepend",
            "`prepend` wants a tensor of one dimension, such as torch.zeros(1)",
        ),
    ),
    "sgd-step": (
        (TypeError, "ndarray", "stay with tensors: no `.numpy()`"),
        (
            (ValueError, RuntimeError),
            "converted to (a )?(Python )?[Ss]calar",
            "a weight is a tensor of many numbers: no `float(…)`",
        ),
        (RuntimeError, "a leaf Variable|in-place", "make new tensors: `velocity = …`, no `+=`"),
    ),
    "adam-step": (
        (TypeError, "ndarray", "stay with tensors: no `.numpy()`"),
        (
            (ValueError, TypeError, RuntimeError),
            "converted to (Python )?[Ss]calar",
            "`math.sqrt` is for plain numbers: a tensor has `.sqrt()`",
        ),
        (TypeError, "not subscriptable", "`betas` is a pair: betas[0] for m, betas[1] for v"),
        (TypeError, "tuple|an index", "`betas` is a pair: betas[0] and betas[1]"),
        (ZeroDivisionError, "division", "for t = 1 on, 1 - β ** t is not 0: does t stand there?"),
    ),
    "patience": (
        (
            AttributeError,
            "cannot assign to field",
            "the settings in self.config stay: halve self.peak",
        ),
        (AttributeError, r"no attribute '(patience|\w+_lr)'", "the settings stand in self.config"),
        (AttributeError, "no setter", "the rate follows from the peak and the step: set self.peak"),
        (
            TypeError,
            "cannot unpack non-iterable int",
            "two names want two values: `self.step = self.stalled = 0`, or `… = 0, 0`",
        ),
        (
            TypeError,
            "takes no arguments",
            "it has no fields: does `(State)` stand behind its name?",
        ),
    ),
    "run-pipeline": (
        (
            TypeError,
            "_IncompatibleKeys",
            "`load_state_dict` changes the model and gives no state: assign nothing from it",
        ),
        (
            TypeError,
            "pickle 'generator'",
            "keep the whole state: `copy.deepcopy(model.state_dict())`, not the parameters",
        ),
        (
            TypeError,
            "dict-like",
            "a state is loaded, no model: keep `copy.deepcopy(model.state_dict())`",
        ),
        (
            KeyError,
            "'(momentum|betas|eps)'",
            "the state of another optimiser was loaded: a fresh one begins without any",
        ),
        (
            RuntimeError,
            "the pipeline has stopped",
            "it trains on when the machine has stopped: before each epoch, is its phase 'stopped'?",
        ),
        (
            RuntimeError,
            r"Missing key\(s\).*running_",
            "the buffers are missing: keep the whole state, copy.deepcopy(model.state_dict())",
        ),
        (
            AttributeError,
            "OrderedDict' object",
            "a state goes into the model, and is no model itself: model.load_state_dict(best)",
        ),
        (
            AttributeError,
            "no attribute '(param_groups|config|zero_grad)'",
            (
                "arguments have changed places: train_epoch(model, optimiser), "
                "make_optimiser(model, machine)"
            ),
        ),
    ),
}

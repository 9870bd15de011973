"""Misconceptions behind exceptions that any exercise may meet."""

from __future__ import annotations

from collections.abc import Callable

Kinds = type[BaseException] | tuple[type[BaseException], ...]
Cause = str | Callable[[BaseException], object]

#: Said of exceptions here, and of names in `misnamed`.
UNCALLED = "this is a function, not what it gives: call it, with round brackets"
NOTHING = "this is None: an argument left out, or what a function without `return` gives"


def _makes_a_loss(error: BaseException) -> bool:
    """Whether torch was making a loss, such as `nn.CrossEntropyLoss`, when it stopped."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return bool(traceback and traceback.tb_frame.f_code.co_filename.endswith("_reduction.py"))


#: Kind, cause and message, each as `Check.crashes` takes it; the first that fits is told.
COMMON: tuple[tuple[Kinds, Cause, str], ...] = (
    (
        AttributeError,
        (
            r"before Module\.__init__\(\) call"
            r"|has no attribute '_(modules|parameters|buffers|(forward|backward)_(pre_)?hooks)'"
        ),
        "`super().__init__()` is missing: call it first in `__init__`",
    ),
    (NotImplementedError, r"\[ModuleList\]", "a ModuleList is not called: call each of its parts"),
    (
        NotImplementedError,
        r'missing the required "forward" function',
        "it has no `forward`: is that spelt so, and indented to stand inside the class?",
    ),
    (
        TypeError,
        r"\bint is not a Module subclass",
        "modules alone are handed over: a number belongs in the brackets of one of them",
    ),
    (
        TypeError,
        "(genexpr>|generator) is not a Module subclass",
        "a `… for … in …` in brackets is one thing: `*(…)` takes its modules out, one by one",
    ),
    (
        TypeError,
        "is not a Module subclass",
        "modules are given one by one, not in a list, and each of them made: `nn.ReLU()`",
    ),
    (
        TypeError,
        "must be Tensor, not (float|int)",
        "torch's functions want tensors: for plain numbers there are `math.cos`, `math.sqrt`, …",
    ),
    (
        TypeError,
        r"(got|not) \(?(ReLU6?|LeakyReLU|GELU|Sigmoid|Softmax|Tanh)\b",
        "`nn.ReLU` and its like make a module, to be called: `nn.ReLU()(x)`, or `F.relu(x)`",
    ),
    (
        TypeError,
        "indices must be integers",
        "a place is a whole number: is this a value, or a name? `enumerate` gives place and value",
    ),
    (
        TypeError,
        r"but (got|found element of type) float|not float|tuple of \(float",
        "a size is a float: divide whole numbers by `//`",
    ),
    (
        TypeError,
        r"argument 'dim' .*must be int, not Tensor",
        "a tensor stands where the dimension should: in which order does it take its arguments?",
    ),
    (
        (NotImplementedError, TypeError, RuntimeError),
        r"bitwise_xor|for \^=?:",
        "`^` is no power in Python: write `**`",
    ),
    (TypeError, "argument 'tensors'", "`torch.cat` and `torch.stack` take a list of tensors"),
    (
        (TypeError, AttributeError),
        (
            r"'(builtin_)?(function|method)(_or_method)?'|'method_descriptor'"
            r"|number, not (function|method)"
        ),
        UNCALLED,
    ),
    (
        TypeError,
        r"'(Tensor|Parameter|int|float|list|tuple|dict|str|ndarray)' object is not callable",
        "this is no function: is `*`, `[…]` or a comma missing before the brackets?",
    ),
    (TypeError, "'module' object is not callable", "this is a module: name what you want of it"),
    (
        TypeError,
        "'NoneType'",
        NOTHING,
    ),
    (
        TypeError,
        "'(int|float)' object is not iterable|iteration over a 0-d",
        "one number is no list: `range(n)` counts to it, `(n,)` holds it alone",
    ),
    (
        TypeError,
        r"^(cat|stack|concat|vstack|hstack|array|tensor)\(\) (takes|received|got)",
        "`cat`, `stack`, `array` and `tensor` take one list of what is put together: `[a, b]`",
    ),
    (
        TypeError,
        (
            r"operand type\(s\) for (%|//|/|-|\*\*)\S*: ('(list|tuple)' and '(int|float)'"
            r"|'(int|float)' and '(list|tuple)')|but got (list|tuple)\b"
        ),
        "a list or tuple stands where one number is due: one of its items, or `len(…)` of it",
    ),
    (
        TypeError,
        "not all arguments converted during string formatting",
        "a text stands where a number is due",
    ),
    (
        TypeError,
        "cannot unpack non-iterable",
        "here is one thing, no pair: `enumerate`, `zip` and `.items()` give pairs",
    ),
    (TypeError, "object of type '(int|float)' has no len", "one number has no length"),
    (TypeError, "concatenate list", "a list is joined with a list: `[*several, one]`"),
    (
        TypeError,
        r"(not supported between instances of|concatenate) '?str\b.*(float|int)",
        "a text meets a number: is this a name, in place of what it names?",
    ),
    (TypeError, "unhashable type: 'list'", "this is a list of names: look them up one by one"),
    (TypeError, "missing .* 'kernel_size'", "a convolution needs the size of its kernel, too"),
    (TypeError, r"^where\(\) received", "`torch.where` takes three: what is asked, then, else"),
    (
        RuntimeError,
        "stack expects each tensor",
        "`torch.stack` makes a new dimension, of equal maps: `torch.cat` lays them side by side",
    ),
    (
        RuntimeError,
        "can't be cast to the desired output type",
        "these are whole numbers, and what is put in is none: begin with floats",
    ),
    (
        TypeError,
        r"forward\(\) takes 2 positional",
        "a layer is called with its input alone, and `self` stands before the dot: `self.stem(x)`",
    ),
    (TypeError, "multiply sequence by non-int", "a list is not multiplied place by place"),
    (
        (RuntimeError, TypeError),
        r"call numpy\(\) on Tensor that requires grad",
        "NumPy breaks the gradient off: take torch's functions",
    ),
    (RuntimeError, "^mm: self must be", "`torch.mm` takes two matrices; `@` takes batches of them"),
    (
        RuntimeError,
        "only supported on matrices",
        "`.mT` turns matrices: here is something with fewer dimensions",
    ),
    (
        RuntimeError,
        _makes_a_loss,
        "`nn.…Loss` makes a loss, to be called: `nn.CrossEntropyLoss()(…)`. Or `F.cross_entropy`",
    ),
    (
        (RuntimeError, ValueError),
        "more than one (value|element) is ambiguous",
        "`if`, `and` and `or` want one truth, not many: `torch.where`, `&`, `.any()`, `.all()`",
    ),
    (
        RuntimeError,
        "expected scalar type|have the same dtype",
        "two types of numbers meet: what is made anew needs the type of the rest, `dtype=x.dtype`",
    ),
    (
        ValueError,
        "values to unpack",
        "there are not as many things on the right as names on the left",
    ),
    (
        (NotImplementedError, RuntimeError),
        "could not infer output dtype|input dtype should be either floating",
        "whole numbers and bools have no mean: `.float()` before it",
    ),
    (
        (NotImplementedError, RuntimeError),
        "not implemented for '(Long|Int|Byte|Bool|Char)'",
        "here are whole numbers where others are wanted: are the arguments in their order?",
    ),
    (RuntimeError, "class probabilities", "scores of all classes come first, (B, C, …), then ids"),
    (TypeError, "argument 'keepdim'", "several dimensions have brackets of their own: `(1, 2)`"),
    (ValueError, r"zip\(\) argument", "these lists do not have the same length"),
    (IndexError, "invalid index of a 0-dim", "this is a single number: it has no places"),
    (
        ValueError,
        r"spatial dimensions of \[\d+, \d+\] and output size of \D*(\d+, ){2,3}",
        "`F.interpolate` takes the height and width alone: `.shape[-2:]`",
    ),
    (RecursionError, "", "your code calls itself without end"),
    (SystemExit, lambda error: True, "your code ends Python (`exit`, `quit`): leave that out"),
)
#: The same for what is left, where no name on the line says more: what happened, in plain words.
PLAIN: tuple[tuple[Kinds, Cause, str], ...] = (
    (ZeroDivisionError, "", "divided by 0: which case makes it 0, and what should it give?"),
    (
        (ValueError, TypeError, RuntimeError),
        (
            r"only one element tensors|only length-1 arrays|only 0-dimensional arrays"
            r"|Tensor with \d+ elements cannot be converted to Scalar"
        ),
        "one number is wanted here, and this is many: is a sum or a mean missing?",
    ),
    (
        (ValueError, RuntimeError),
        r"Boolean value of Tensor with more than one|truth value of an array with more than one",
        "one yes or no is wanted here, and this is many: `.all()`, `.any()`, or a smaller thing",
    ),
    (
        (IndexError, ValueError),
        r"Dimension out of range|axis -?\d+ is out of bounds|too many indices",
        "it has fewer axes than that: they count from 0, and its shape tells how many there are",
    ),
    (
        IndexError,
        r"out of range|out of bounds",
        "an index past the end: they count from 0, so the last is the length less 1",
    ),
    (
        TypeError,
        r"missing \d+ required (positional|keyword-only) argument",
        "a call lacks an argument: compare it with the definition of what is called",
    ),
    (
        TypeError,
        "got an unexpected keyword argument|is an invalid keyword argument",
        "a call gives an argument that is not known there: is it misspelt, or for another call?",
    ),
    (
        TypeError,
        r"takes (from )?\d.* positional arguments? but",
        "a call gives more than is taken there (a method's own first parameter is `self`)",
    ),
    (
        TypeError,
        "object is not callable",
        "something is called that is no function: is a name used twice, or a bracket too many?",
    ),
    (
        TypeError,
        r"is not (iterable|subscriptable)|cannot unpack|object does not support item",
        "one thing is used as if it were several: look at what stands there, and its type",
    ),
    (
        (ValueError, TypeError),
        r"not enough values to unpack|too many values to unpack",
        "so many names do not fit so many things: look at what stands right of the `=`",
    ),
    (
        (RuntimeError, ValueError),
        (
            r"[Ss]ize of tensor a|could not be broadcast|must match the (size|existing size)"
            r"|Sizes of tensors must match|all input arrays must have the same shape"
        ),
        "two shapes that do not go together: print both just before this line",
    ),
    (
        (RuntimeError, ValueError),
        r"mat1 and mat2|size mismatch|Expected size for first two|matmul: Input operand",
        "in a product the columns of the first are the rows of the second: is one to be turned?",
    ),
    (
        RuntimeError,
        r"Given (groups|transposed)=.*channels",
        "a layer gets another number of channels than it was made for",
    ),
    (
        RuntimeError,
        r"shape '.*' is invalid for input of size",
        "so many values do not fill that shape: multiply its sides, and compare",
    ),
    (
        (RuntimeError, TypeError),
        (
            r"expected scalar type|expected m1 and m2 to have the same dtype|should be the same"
            r"|can't be cast|must be tensors used as indices|Index tensor must have|dtype int64"
        ),
        "types that do not go together: whole numbers for indices and classes, floats to calculate",
    ),
    (
        TypeError,
        r"unsupported operand type|can only concatenate|bad operand type|not supported between",
        "two kinds of things that this operator does not join: print their types",
    ),
    (
        AttributeError,
        "has no attribute",
        "what stands before the dot has no such thing: what type is it here, or is it misspelt?",
    ),
    (KeyError, "", "a key that the dictionary does not have: print its keys"),
)

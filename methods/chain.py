"""Methods one after another, left to right, as one method: prune -> quantize -> distill."""

import jax

from methods.base import Method, State, compose, with_params


def chain(*methods: Method, strengths: tuple) -> Method:
    """The methods as one; its strength is a tuple, one per part.

    Raises ValueError where they cannot follow one another: a part that quantizes owns the weights' values, so no part
    that changes weights may come after it; and a part that shrinks or replaces the net must come first, which shows
    only in `init`.
    """
    _refuse_after_quantizing(methods)

    def parts(state):
        return [State(*part) for part in zip(state.train, state.fixed, strict=True)]

    def joined(states):
        return State(tuple(s.train for s in states), tuple(s.fixed for s in states))

    def init(key, problem, variables, strength):
        net, states = problem.net, []
        for i, (method, own) in enumerate(zip(methods, strength, strict=True)):
            new, variables, state = method.init(jax.random.fold_in(key, i), problem._replace(net=net), variables, own)
            if new != net and (net != problem.net or jax.tree.leaves(states)):
                raise ValueError(
                    f"part {i + 1} of the chain changes the net that the parts before prepared: put it first"
                )
            net, states = new, [*states, state]
        return net, variables, joined(states)

    def view(state, params):
        for method, part in zip(methods, parts(state), strict=True):
            params = method.view(part, params)
        return params

    def tap(state):
        return compose([method.tap(part) for method, part in zip(methods, parts(state), strict=True)])

    def loss(state, batch, out, base):
        for method, part in zip(methods, parts(state), strict=True):
            base = method.loss(part, batch, out, base)
        return base

    def update(state, params, grads, step):
        states, keep = [], None
        for method, part in zip(methods, parts(state), strict=True):
            part, params, new = method.update(part, params, grads, step)
            states.append(part)
            keep = new if keep is None else keep if new is None else jax.tree.map(lambda a, b: a & b, keep, new)
        return joined(states), params, keep

    def settle(key, problem, variables, state):
        states = []
        for i, (method, part) in enumerate(zip(methods, parts(state), strict=True)):
            part = method.settle(jax.random.fold_in(key, i), problem, variables, part)
            variables = with_params(variables, method.view(part, variables["params"]))
            states.append(part)
        return joined(states)

    def export(state, shipped):
        for method, part in zip(methods, parts(state), strict=True):
            shipped = method.export(part, shipped)
        return shipped

    return Method(
        knob=", ".join(m.knob for m in methods),
        strengths=strengths,
        bounds=tuple(m.bounds for m in methods),
        family="chain",
        recovers=any(m.recovers for m in methods),
        taught=any(m.taught for m in methods),
        renorms=any(m.renorms for m in methods),
        quantizes=any(m.quantizes for m in methods),
        init=init,
        view=view,
        tap=tap,
        loss=loss,
        update=update,
        settle=settle,
        export=export,
    )


def _refuse_after_quantizing(methods):
    untouched = Method._field_defaults["view"]
    for i, method in enumerate(methods):
        if method.view is not untouched and any(before.quantizes for before in methods[:i]):
            raise ValueError(
                f"part {i + 1} of the chain changes weights that part {i} or one before it has quantized: "
                "prune before you quantize, and quantize once"
            )

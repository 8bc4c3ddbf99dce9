import GraphBuilding
import IR

/// Functions of elements.
extension Tensor {
  fileprivate func applying(_ function: ScalarFunction) -> Tensor {
    map { (g, x) throws(OpError) in try g.map(function, x) }
  }
}

public func abs<S: TensorNumeric & SignedNumeric>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.abs) }
/// -1, 0 or 1; zeros keep their sign, and NaN stays.
public func sign<S: TensorNumeric>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.sign) }
public func exp<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.exponential) }
/// `exp(x) - 1`, exact near zero.
public func expm1<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.exponentialMinusOne) }
public func log<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.log) }
/// `log(1 + x)`, exact near zero.
public func log1p<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.logPlusOne) }
public func sqrt<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.squareRoot) }
/// `1 / sqrt(x)`.
public func rsqrt<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.reciprocalSquareRoot) }
public func cbrt<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.cbrt) }
public func sin<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.sine) }
public func cos<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.cosine) }
public func tan<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.tangent) }
public func asin<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.arcSine) }
public func acos<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.arcCosine) }
public func atan<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.arcTangent) }
public func sinh<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.hyperbolicSine) }
public func cosh<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.hyperbolicCosine) }
public func tanh<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.hyperbolicTangent) }
public func erf<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.errorFunction) }
public func floor<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.floor) }
public func ceil<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.ceil) }
/// The nearest integer; of two the even one.
public func round<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.roundNearestEven) }

/// The angle of the point `(x, y)`.
public func atan2<S: TensorFloat>(_ y: Tensor<S>, _ x: Tensor<S>) -> Tensor<S> {
  y.combined(with: x) { (g, y, x) throws(OpError) in try g.map(.arcTangent2, y, x) }
}

public func pow<S: TensorFloat>(_ x: Tensor<S>, _ y: Tensor<S>) -> Tensor<S> {
  x.combined(with: y) { (g, x, y) throws(OpError) in try g.map(.power, x, y) }
}

@_disfavoredOverload
public func pow<S: TensorFloat>(_ x: Tensor<S>, _ y: S) -> Tensor<S> { pow(x, Tensor(y)) }

extension Tensor where Scalar: TensorNumeric {
  public func squared() -> Tensor { self * self }
}

extension Tensor where Scalar: TensorFloat {
  public var isNaN: Tensor<Bool> { self .!= self }
  public var isFinite: Tensor<Bool> { map { (g, x) throws(OpError) in try g.map(.isFinite, x) } }
}

// MARK: Activations

// Each is one graph, so that it is one kernel outside of graphs too.

/// `max(x, 0)`, with slope 0 at 0.
@Graph
public func relu<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { select(x .<= 0, 0, x) }

/// `min(max(x, 0), 6)`, with slope 0 at both ends.
@Graph
public func relu6<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { select(x .>= 6, 6, relu(x)) }

@Graph
public func leakyRelu<S: TensorFloat>(_ x: Tensor<S>, alpha: S) -> Tensor<S> { select(x .> 0, x, x * alpha) }

/// `x` above zero, `exp(x) - 1` below.
@Graph
public func elu<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { select(x .> 0, x, expm1(select(x .> 0, 0, x))) }

/// `1 / (1 + exp(-x))`.
public func sigmoid<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x.applying(.logistic) }

/// `x * sigmoid(x)`, also called swish.
@Graph
public func silu<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> { x * sigmoid(x) }

/// `log(1 + exp(x))` without overflow.
public func softplus<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> {
  x.map { (g, x) throws(OpError) in try g.softplus(x) }
}

/// `x` times the normal distribution's share below it, by the error function (Hendrycks and Gimpel, "Gaussian error
/// linear units").
@Graph
public func gelu<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> {
  let share = erf(x * S(0.5.squareRoot())) + 1
  return x * share * 0.5
}

/// GELU with the error function approximated by `tanh`, as in GPT-2.
@Graph
public func approximateGelu<S: TensorFloat>(_ x: Tensor<S>) -> Tensor<S> {
  let cube = x * x * x
  let inner = (x + cube * S(0.044715)) * S((2 / Double.pi).squareRoot())
  return x * (tanh(inner) + 1) * 0.5
}

/// `exp(x)` divided by its sum along an axis, without overflow.
public func softmax<S: TensorFloat>(_ x: Tensor<S>, along axis: Int = -1) -> Tensor<S> {
  x.map { (g, x) throws(OpError) in try g.softmax(x, [try x.axis(axis)]) }
}

/// The logarithm of `softmax`.
public func logSoftmax<S: TensorFloat>(_ x: Tensor<S>, along axis: Int = -1) -> Tensor<S> {
  x.map { (g, x) throws(OpError) in try g.logSoftmax(x, [try x.axis(axis)]) }
}

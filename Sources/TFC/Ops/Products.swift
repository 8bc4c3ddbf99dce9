import GraphBuilding
import IR

infix operator • : MultiplicationPrecedence

/// The product of matrices in the last two dimensions; vectors are rows on the left and columns on the right, leading
/// dimensions broadcast.
public func matmul<S: TensorNumeric>(_ a: Tensor<S>, _ b: Tensor<S>) -> Tensor<S> {
  a.combined(with: b) { (g, a, b) throws(OpError) in try g.matmul(a, b) }
}

extension Tensor where Scalar: TensorNumeric {
  /// `matmul(a, b)`.
  public static func • (a: Tensor, b: Tensor) -> Tensor { matmul(a, b) }
}

/// Sums of products by letters for dimensions: `einsum("bij,bjk->bik", a, b)`. Letters that the result lacks are summed.
public func einsum<S: TensorNumeric>(_ equation: String, _ operands: Tensor<S>...) -> Tensor<S> {
  .of(operands.map(\.storage)) { (g, values) throws(OpError) in try g.einsum(equation, values) }
}

/// Softmax of scaled products of queries and keys, times values (Vaswani et al., "Attention is all you need").
///
/// `[…, queries, depth]`, `[…, keys, depth]` and `[…, keys, features]`; where `mask` is false, a key is not seen.
@Graph
public func attention<S: TensorFloat>(
  queries: Tensor<S>, keys: Tensor<S>, values: Tensor<S>, mask: Tensor<Bool>? = nil
) -> Tensor<S> {
  guard let depth = queries.dimensions.last?.value else {
    refuse(OpError("attention needs a fixed depth, not \(queries.storage.type.detailedDescription)"))
  }
  var scores = matmul(queries, keys.transposed()) * (1 / S(depth).squareRoot())
  if let mask { scores = select(mask, scores, Tensor(-S.infinity)) }
  return matmul(softmax(scores), values)
}

// MARK: Windows

/// What lies around an image.
public enum Padding: Hashable, Sendable {
  /// Nothing: windows lie inside.
  case valid
  /// As much as the result needs to have the image's extent divided by the stride; the odd one behind.
  case same
  case explicit([(before: Int, after: Int)])

  public static func == (a: Padding, b: Padding) -> Bool { a.key == b.key }
  public func hash(into hasher: inout Hasher) { hasher.combine(key) }

  private var key: [Int] {
    switch self {
    case .valid: [0]
    case .same: [1]
    case .explicit(let sizes): [2] + sizes.flatMap { [$0.before, $0.after] }
    }
  }

  /// The padding of one spatial dimension.
  fileprivate func sizes(_ d: Int, _ extent: Extent, window: Int, stride: Int) throws(OpError) -> (Int, Int) {
    switch self {
    case .valid: return (0, 0)
    case .explicit(let sizes):
      guard sizes.indices.contains(d) else { throw OpError("a padding for \(sizes.count) dimensions") }
      return (sizes[d].before, sizes[d].after)
    case .same:
      let total: Int
      if stride == 1 {
        total = window - 1
      } else if let extent = extent.fixed {
        total = max(0, ((extent + stride - 1) / stride - 1) * stride + window - extent)
      } else {
        throw .unsupported("padding 'same' with stride \(stride) over the extent \(extent)")
      }
      return (total / 2, total - total / 2)
    }
  }
}

/// A convolution of images `[batch, height, width, features]` with a filter `[height, width, features / groups, filters]`.
public func conv2D<S: TensorFloat>(
  _ images: Tensor<S>, _ filter: Tensor<S>, strides: (Int, Int) = (1, 1), padding: Padding = .valid,
  dilations: (Int, Int) = (1, 1), groups: Int = 1
) -> Tensor<S> {
  images.combined(with: filter) { (g, x, filter) throws(OpError) in
    guard x.rank == 4, filter.rank == 4 else {
      throw OpError("conv2D cannot take \(x.type.detailedDescription) and \(filter.type.detailedDescription)")
    }
    var window: [WindowDimension] = []
    for (d, (stride, dilation)) in [(strides.0, dilations.0), (strides.1, dilations.1)].enumerated() {
      guard let extent = filter.shape[d].fixed else {
        throw .unsupported("a filter of \(filter.type.detailedDescription)")
      }
      let reach = (extent - 1) * dilation + 1
      let (low, high) = try padding.sizes(d, x.shape[d + 1], window: reach, stride: stride)
      window.append(
        WindowDimension(
          extent: Extent(extent), stride: stride, paddingLow: low, paddingHigh: high, windowDilation: dilation))
    }
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 3, inputSpatial: [1, 2], kernelInputFeature: 2, kernelOutputFeature: 3,
      kernelSpatial: [0, 1], outputBatch: 0, outputFeature: 3, outputSpatial: [1, 2])
    let convolution = Convolution(
      window: window, dimensionNumbers: numbers, featureGroupCount: groups, resultType: x.element)
    return try g.emit(.convolution(convolution), [x, filter])
  }
}

/// The greatest element of each window of images `[batch, height, width, features]`.
public func maxPool2D<S: TensorFloat>(
  _ images: Tensor<S>, size: (Int, Int), strides: (Int, Int), padding: Padding = .valid
) -> Tensor<S> {
  images.map { (g, x) throws(OpError) in try g.pooled(x, .maximum, size, strides, padding) }
}

/// The mean of the elements in each window of images `[batch, height, width, features]`, without padding.
public func averagePool2D<S: TensorFloat>(
  _ images: Tensor<S>, size: (Int, Int), strides: (Int, Int), padding: Padding = .valid
) -> Tensor<S> {
  images.map { (g, x) throws(OpError) in
    let sums = try g.pooled(x, .add, size, strides, padding)
    if padding == .valid { return try g.divide(sums, Double(size.0 * size.1)) }
    let counts = try g.pooled(g.splat(1, like: x), .add, size, strides, padding)
    return try g.divide(sums, counts)
  }
}

extension Trace {
  fileprivate mutating func pooled(
    _ x: Value, _ function: ScalarFunction, _ size: (Int, Int), _ strides: (Int, Int), _ padding: Padding
  ) throws(OpError) -> Value {
    guard x.rank == 4 else { throw OpError("images have four dimensions, not \(x.type.detailedDescription)") }
    var window = [WindowDimension](repeating: WindowDimension(extent: 1), count: 4)
    for (d, (extent, stride)) in [(size.0, strides.0), (size.1, strides.1)].enumerated() {
      let (low, high) = try padding.sizes(d, x.shape[d + 1], window: extent, stride: stride)
      window[d + 1] = WindowDimension(extent: Extent(extent), stride: stride, paddingLow: low, paddingHigh: high)
    }
    let initial = scalar(neutral(function, x.element), x.element)
    return try emit(.reduceWindow(ReduceWindow(window: window, body: foldBody(function, x.element))), [x, initial])
  }
}

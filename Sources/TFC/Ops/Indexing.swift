import GraphBuilding
import IR

/// What one position of a subscript takes of a dimension: `x[0]`, `x[Axis.rest, 1..<3]`, `x[Axis.all, 2]`, `x[Axis.new]`.
public protocol SliceIndex: Sendable {
  var part: SlicePart { get }
}

/// A part of a dimension, or of the list of dimensions.
public enum SlicePart: Sendable {
  /// One position, whose dimension goes; negative ones count from behind.
  case position(Int)
  /// Positions from a bound to before another; nil is the dimension's own.
  case range(Int?, Int?)
  /// All dimensions that no other index names.
  case rest
  /// A new dimension of extent 1.
  case newAxis
}

/// Indices that are no positions.
public enum Axis: SliceIndex {
  /// All positions of a dimension.
  case all
  /// All dimensions that no other index names: NumPy's `...`.
  case rest
  /// A new dimension of extent 1.
  case new

  public var part: SlicePart {
    switch self {
    case .all: .range(nil, nil)
    case .rest: .rest
    case .new: .newAxis
    }
  }
}

extension Int: SliceIndex { public var part: SlicePart { .position(self) } }
extension Range: SliceIndex where Bound == Int { public var part: SlicePart { .range(lowerBound, upperBound) } }
extension ClosedRange: SliceIndex where Bound == Int {
  public var part: SlicePart { .range(lowerBound, upperBound == -1 ? nil : upperBound + 1) }
}
extension PartialRangeFrom: SliceIndex where Bound == Int { public var part: SlicePart { .range(lowerBound, nil) } }
extension PartialRangeThrough: SliceIndex where Bound == Int {
  public var part: SlicePart { .range(nil, upperBound == -1 ? nil : upperBound + 1) }
}
extension PartialRangeUpTo: SliceIndex where Bound == Int { public var part: SlicePart { .range(nil, upperBound) } }

/// What the indices of a subscript say of a tensor.
private struct SlicePlan {
  var starts: [Extent] = []
  var limits: [Extent] = []
  /// Dimensions of the part, before those of single positions go and new ones come.
  var kept: [Extent] = []
  /// Dimensions of the result.
  var result: [Extent] = []

  init(_ parts: [SlicePart], of type: TensorType) throws(OpError) {
    let named = parts.reduce(0) { count, part in
      switch part {
      case .position, .range: count + 1
      case .rest, .newAxis: count
      }
    }
    guard named <= type.rank else { throw OpError("\(named) indices for \(type.detailedDescription)") }
    var axis = 0
    func whole(_ count: Int) {
      for extent in type.dimensions[axis..<axis + count] { append(.zero, extent, isKept: true) }
      axis += count
    }
    var hasRest = false
    for part in parts {
      switch part {
      case .newAxis: result.append(.one)
      case .rest:
        guard !hasRest else { throw OpError("'Axis.rest' stands twice among the indices") }
        hasRest = true
        whole(type.rank - named)
      case .position(let position):
        let extent = type.dimensions[axis]
        if let fixed = extent.fixed, !(-fixed..<fixed).contains(position) {
          throw OpError("position \(position) is outside of dimension \(axis) of \(type)")
        }
        let start = position < 0 ? extent + position : Extent(position)
        append(start, start + 1, isKept: false)
        axis += 1
      case .range(let lower, let upper):
        let extent = type.dimensions[axis]
        let start = lower.map { $0 < 0 ? extent + $0 : Extent($0) } ?? .zero
        let limit = upper.map { $0 < 0 ? extent + $0 : Extent($0) } ?? extent
        if let extent = extent.fixed, let start = start.fixed, let limit = limit.fixed,
          start < 0 || limit > extent || start > limit
        {
          throw OpError("positions \(start)..<\(limit) leave dimension \(axis) of \(type)")
        }
        append(start, limit, isKept: true)
        axis += 1
      }
    }
    whole(type.rank - axis)
  }

  private mutating func append(_ start: Extent, _ limit: Extent, isKept: Bool) {
    starts.append(start)
    limits.append(limit)
    kept.append(limit - start)
    if isKept { result.append(limit - start) }
  }
}

extension Tensor {
  /// A part of the tensor; setting it replaces that part.
  public subscript(indices: any SliceIndex...) -> Tensor {
    get {
      map { (g, x) throws(OpError) in
        let plan = try SlicePlan(indices.map(\.part), of: x.type)
        let strides = [Int](repeating: 1, count: x.rank)
        return try g.reshape(g.slice(x, plan.starts, plan.limits, strides), plan.result)
      }
    }
    set {
      self = combined(with: newValue) { (g, x, part) throws(OpError) in
        let plan = try SlicePlan(indices.map(\.part), of: x.type)
        let update = try g.reshape(g.broadcast(part, to: plan.result), plan.kept)
        var starts: [Value] = []
        for start in plan.starts { starts.append(try g.scalar(of: start, .i64)) }
        return try g.emit(.dynamicUpdateSlice(DynamicUpdateSlice()), [x, update] + starts)
      }
    }
  }

  /// The part at a position that the graph computes, without its dimension. Negative positions count from behind; those
  /// outside of the dimension become its ends.
  public subscript(position: Tensor<Int32>) -> Tensor {
    get { slice(at: position, along: 0) }
    set {
      self = .of([storage, position.storage, newValue.storage]) { (g, v) throws(OpError) in
        let part = try g.broadcast(v[2], to: Array(v[0].shape.dropFirst()))
        return try g.replacing(v[0], at: g.counted(v[1], along: 0, of: v[0]), axis: 0, with: part)
      }
    }
  }

  /// The part at a position along an axis, without that dimension.
  public func slice(at position: Tensor<Int32>, along axis: Int) -> Tensor {
    combined(with: position) { (g, x, position) throws(OpError) in
      let axis = try x.axis(axis)
      return try g.element(of: x, at: g.counted(position, along: axis, of: x), axis: axis)
    }
  }

  /// The parts at many positions along an axis: dimension `axis` becomes the dimensions of `positions`. Negative positions
  /// count from behind; those outside of the dimension become its ends.
  public func gathering<Index: TensorNumeric>(_ positions: Tensor<Index>, along axis: Int = 0) -> Tensor {
    combined(with: Tensor<Int64>(positions)) { (g, x, positions) throws(OpError) in
      try g.take(x, positions, axis: x.axis(axis))
    }
  }
}

extension Tensor where Scalar: TensorNumeric {
  /// Rows of zeros of which the one at each position is one: a new last dimension.
  public static func oneHot<Index: TensorNumeric>(_ positions: Tensor<Index>, count: TensorDimension) -> Tensor {
    let places = Tensor<Int64>(indicesOf: [count])
    return Tensor(Tensor<Int64>(positions).expandingDimension(at: -1) .== places)
  }

  /// The tensor with rows of `updates` added at `positions` along the first axis. Negative positions count from behind;
  /// what lies outside of the tensor is left out.
  public func adding<Index: TensorNumeric>(_ updates: Tensor, at positions: Tensor<Index>) -> Tensor {
    .of([storage, updates.storage, Tensor<Int64>(positions).storage]) { (g, v) throws(OpError) in
      guard let extent = v[0].shape.first else { throw OpError("a scalar has no rows to add to") }
      let points = try g.countedFromFront(g.unsqueeze(v[2], v[2].rank), [extent])
      return try g.scatter(v[1], into: v[0], at: points, .add)
    }
  }
}

extension Trace {
  /// A position along an axis as a scalar that is not negative.
  fileprivate mutating func counted(_ position: Value, along axis: Int, of x: Value) throws(OpError) -> Value {
    guard position.type.elementCount == .one, x.rank > 0 else {
      throw OpError("a position is one number, not \(position.type.detailedDescription)")
    }
    return try reshape(countedFromFront(reshape(position, [.one]), [x.shape[axis]]), [])
  }
}

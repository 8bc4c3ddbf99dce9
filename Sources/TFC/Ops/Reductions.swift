import GraphBuilding
import IR

extension Value {
  /// An axis counted from the front; negative ones count from behind.
  func axis(_ axis: Int) throws(OpError) -> Int {
    guard (-rank..<rank).contains(axis) else { throw OpError("\(type.detailedDescription) has no axis \(axis)") }
    return axis < 0 ? axis + rank : axis
  }

  /// Axes counted from the front, in order; nil stands for all.
  func axes(_ axes: [Int]?) throws(OpError) -> [Int] {
    guard let axes else { return Array(0..<rank) }
    var counted: [Int] = []
    for axis in axes { counted.append(try self.axis(axis)) }
    guard Set(counted).count == counted.count else { throw OpError("the axes \(axes) name one axis twice") }
    return counted.sorted()
  }
}

extension Tensor {
  /// A fold along axes; nil are all axes, and so is an empty list of arguments.
  func folded(_ axes: [Int]?, _ function: ScalarFunction, keep: Bool) -> Tensor {
    map { (g, x) throws(OpError) in try g.reduce(x, x.axes(axes), function, keep: keep) }
  }
}

/// Folds: of all elements, or along axes, of which negative ones count from behind.
extension Tensor where Scalar: TensorNumeric {
  public func sum() -> Tensor { folded(nil, .add, keep: false) }
  public func product() -> Tensor { folded(nil, .multiply, keep: false) }
  public func max() -> Tensor { folded(nil, .maximum, keep: false) }
  public func min() -> Tensor { folded(nil, .minimum, keep: false) }

  public func sum(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    folded(axes.isEmpty ? nil : axes, .add, keep: keep)
  }
  public func sum(along axes: [Int], keepingDimensions keep: Bool = false) -> Tensor { folded(axes, .add, keep: keep) }
  public func product(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    folded(axes.isEmpty ? nil : axes, .multiply, keep: keep)
  }
  public func max(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    folded(axes.isEmpty ? nil : axes, .maximum, keep: keep)
  }
  public func min(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    folded(axes.isEmpty ? nil : axes, .minimum, keep: keep)
  }

  /// The position of the greatest element along an axis, the first of equal ones; NaN counts as greatest.
  public func argmax(along axis: Int = -1) -> Tensor<Int32> { position(of: .greater, along: axis) }
  /// The position of the least element along an axis, the first of equal ones; NaN counts as least.
  public func argmin(along axis: Int = -1) -> Tensor<Int32> { position(of: .less, along: axis) }

  private func position(of direction: ComparisonDirection, along axis: Int) -> Tensor<Int32> {
    map { (g, x) throws(OpError) in
      try g.convert(g.position(of: direction, in: x, axis: x.axis(axis), wantsLast: false), .i32)
    }
  }

  /// For each position along an axis the sum of all elements up to it.
  public func cumulativeSum(along axis: Int = -1) -> Tensor { scanned(.add, axis) }
  /// For each position along an axis the product of all elements up to it.
  public func cumulativeProduct(along axis: Int = -1) -> Tensor { scanned(.multiply, axis) }

  private func scanned(_ function: ScalarFunction, _ axis: Int) -> Tensor {
    map { (g, x) throws(OpError) in try g.scan(x, x.axis(axis), function, isReversed: false) }
  }

  /// The elements in ascending order along an axis.
  public func sorted(along axis: Int = -1) -> Tensor {
    map { (g, x) throws(OpError) in try g.sort([x], axis: x.axis(axis), .less)[0] }
  }
}

extension Tensor where Scalar: TensorFloat {
  public func mean() -> Tensor { average(nil, false) }
  public func mean(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    average(axes.isEmpty ? nil : axes, keep)
  }
  public func mean(along axes: [Int], keepingDimensions keep: Bool = false) -> Tensor { average(axes, keep) }

  private func average(_ axes: [Int]?, _ keep: Bool) -> Tensor {
    inFloat { x in x.map { (g, x) throws(OpError) in try g.mean(x, x.axes(axes), keep: keep) } }
      ?? map { (g, x) throws(OpError) in try g.mean(x, x.axes(axes), keep: keep) }
  }

  /// What `body` makes of the numbers as `Float`, where they are `Float16`: sums and squares soon leave their range.
  func inFloat(_ body: (Tensor<Float>) -> Tensor<Float>) -> Tensor? {
    Scalar.elementType == .f16 ? Tensor(body(Tensor<Float>(self))) : nil
  }

  /// The mean of the squared distances from the mean.
  public func variance() -> Tensor { spread(nil, false) }
  public func variance(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    spread(axes.isEmpty ? nil : axes, keep)
  }

  private func spread(_ axes: [Int]?, _ keep: Bool) -> Tensor {
    inFloat { $0.spread(axes, keep) } ?? (self - average(axes, true)).squared().average(axes, keep)
  }

  /// The logarithm of the sum of exponentials along axes, without overflow.
  public func logSumExp(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    map { (g, x) throws(OpError) in try g.logSumExp(x, x.axes(axes.isEmpty ? nil : axes), keep: keep) }
  }
}

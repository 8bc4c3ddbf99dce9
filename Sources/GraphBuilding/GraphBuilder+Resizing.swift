package import IR

/// Interpolation along dimensions.
extension GraphBuilder {
  /// `x` with one dimension interpolated to another extent.
  package mutating func resized(
    _ x: Value, _ axis: Int, size: Extent?, scale: Double?, _ sampling: Sampling, _ region: (Double, Double)?
  ) throws(OpError) -> Value {
    guard x.shape[axis] != .zero else { throw OpError("it resizes the empty dimension \(axis) of \(x.type)") }
    guard let old = x.shape[axis].fixed, size?.isFixed ?? true else {
      if let whole = try repeated(x, axis, size: size, scale: scale, sampling) { return whole }
      return try interpolated(x, axis, size: size, scale: scale, sampling)
    }
    let new = size?.fixed ?? Int((scale ?? 1) * Double(old))
    guard new < 1 << 24 else { throw OpError("its new extent is \(new)") }
    let factor = scale ?? Double(new) / Double(old)
    if let result = try wholeRepeat(x, axis, old, new, factor, sampling, region) { return result }
    let taps = try sampling.taps(from: old, to: new, scale: factor, region)
    let count = taps.map(\.count).max() ?? 0
    var result: Value?
    if count > 4 {
      result = try mixed(x, axis, old, taps)
    } else {
      for tap in 0..<count {
        let positions = taps.map { $0.isEmpty ? 0 : $0[tap].position }
        var part = try take(x, vector(positions), axis: axis)
        if sampling.mode != .nearest {
          let weights = vector(taps.map { $0.isEmpty ? 0 : $0[tap].weight }, x.element)
          part = try multiply(part, broadcast(weights, to: part.shape, at: [axis]))
        }
        result = try result.map { (old) throws(OpError) in try add(old, part) } ?? part
      }
    }
    guard let result else { return try slice(x, axis: axis, 0, 0) }
    guard taps.contains(where: \.isEmpty) else { return result }
    let isOutside = vector(taps.map { $0.isEmpty ? 1 : 0 }, .i1)
    let value = scalar(sampling.extrapolation, x.element)
    return try select(broadcast(isOutside, to: result.shape, at: [axis]), value, result)
  }

  /// The product with a matrix of weights along an axis.
  private mutating func mixed(
    _ x: Value, _ axis: Int, _ old: Int, _ taps: [[(position: Int, weight: Double)]]
  ) throws(OpError) -> Value {
    guard old * taps.count <= 1 << 26 else {
      throw .unsupported("an interpolation from \(old) to \(taps.count) elements")
    }
    var weights = [Double](repeating: 0, count: old * taps.count)
    for (column, own) in taps.enumerated() {
      for tap in own { weights[tap.position * taps.count + column] += tap.weight }
    }
    let matrix = try reshape(vector(weights, x.element), [Extent(old), Extent(taps.count)])
    let product = try dot(x, matrix, contracting: ([axis], [0]))
    var order = Array(0..<x.rank - 1)
    order.insert(x.rank - 1, at: axis)
    return try transpose(product, order)
  }

  /// Nearest elements that are each taken a whole number of times: a broadcast.
  private mutating func wholeRepeat(
    _ x: Value, _ axis: Int, _ old: Int, _ new: Int, _ scale: Double, _ sampling: Sampling, _ region: (Double, Double)?
  ) throws(OpError) -> Value? {
    guard sampling.mode == .nearest, region == nil, new % old == 0, new > old else { return nil }
    let count = new / old
    let taps = try sampling.taps(from: old, to: new, scale: scale, nil)
    guard taps.indices.allSatisfy({ taps[$0][0].position == $0 / count }) else { return nil }
    return try repeated(x, axis, count)
  }

  private mutating func repeated(_ x: Value, _ axis: Int, _ count: Int) throws(OpError) -> Value {
    var wide = x.shape
    wide.insert(Extent(count), at: axis + 1)
    var shape = x.shape
    shape[axis] *= Extent(count)
    return try reshape(broadcast(x, to: wide, at: wide.indices.filter { $0 != axis + 1 }), shape)
  }

  /// A dimension of unknown extent can be repeated a whole number of times; nil where that is not what is wanted.
  private mutating func repeated(
    _ x: Value, _ axis: Int, size: Extent?, scale: Double?, _ sampling: Sampling
  ) throws(OpError) -> Value? {
    let extent = x.shape[axis]
    var count = scale.flatMap { Int(exactly: $0) }
    if let size {
      let quotient = size.floorDivided(by: extent)
      count = quotient * extent == size ? quotient.fixed : nil
    }
    guard sampling.mode == .nearest, let count, count > 0, count < 1 << 20 else { return nil }
    for sample in [1, 2, 7, 64] {
      let taps = try sampling.taps(from: sample, to: sample * count, scale: Double(count), nil)
      guard taps.indices.allSatisfy({ taps[$0].first?.position == $0 / count }) else { return nil }
    }
    return try repeated(x, axis, count)
  }

  /// Floats rounded and limited to the range of an integer type.
  package mutating func saturated(_ x: Value, _ target: ElementType) throws(OpError) -> Value {
    let least = target.lowest.integerValue
    let greatest =
      target.kind == .unsigned
      ? Double(UInt64(bitPattern: target.highest.integerValue)) : Double(target.highest.integerValue)
    return try minimum(maximum(map(.roundNearestEven, x), Double(least)), greatest)
  }
}

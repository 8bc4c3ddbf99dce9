package import IR

/// Results whose extents data decides: symbols that get their values when the program runs.
extension GraphBuilder {
  /// A symbol for an extent that data decides, of at most `most` elements.
  package mutating func dataExtent(_ stem: String, most: Extent) -> Extent {
    let symbol = construction.newDataSymbol(stem)
    if let fixed = most.fixed { arithmetic.limit(symbol, to: fixed) }
    return construction.facts.resolved(.symbol(symbol.name))
  }

  /// The first elements of `x` along its first dimension, as many as `count` says: `extent`.
  package mutating func first(_ extent: Extent, of x: Value, count: Value) throws(OpError) -> Value {
    try emit(.setDimensionSize(SetDimensionSize(dimension: 0, extent: extent)), [x, reshape(count, [])])
  }

  /// The positions of what holds in a list, in order.
  package mutating func positions(of flags: Value, _ stem: String) throws(OpError) -> Value {
    let most = flags.shape[0]
    let ones = try convert(flags, .i64)
    let count = try reduce(ones, [0], .add)
    // What does not hold goes to a place behind the last.
    let places = try select(flags, subtract(scan(ones, 0, .add, isReversed: false), 1), scalar(of: most, .i64))
    let list = try scatter(
      iota(.i64, [most], axis: 0), into: splat(0, .i64, [most]), at: unsqueeze(places, 1), nil)
    return try first(dataExtent(stem, most: most), of: list, count: count)
  }

  /// The coordinates, one value a dimension, of places in a row-major tensor of this shape.
  package mutating func coordinates(of places: Value, in shape: [Extent]) throws(OpError) -> [Value] {
    if shape.count == 1 { return [places] }
    var rest = places
    var parts: [Value] = []
    for extent in shape.reversed() {
      let count = try scalar(of: extent, places.element)
      parts.append(try map(.remainder, rest, count))
      rest = try divide(rest, count)
    }
    return parts.reversed()
  }

  /// Orders values along an axis by the first of them, where these are equal by the next, up to `keyCount`; the least first, NaN
  /// last.
  package mutating func sorted(_ values: [Value], keyCount: Int, axis: Int) throws(OpError) -> [Value] {
    guard !values.prefix(keyCount).contains(where: \.element.isComplex) else {
      throw OpError("complex numbers have no order")
    }
    var comparator = Graph()
    var pairs: [(ValueID, ValueID)] = []
    for value in values {
      let type = TensorType.scalar(value.element)
      pairs.append((comparator.addParameter(type), comparator.addParameter(type)))
    }
    var isBefore: ValueID?
    for (key, pair) in zip(values, pairs).prefix(keyCount).reversed() {
      let less = try comparator.isBefore(pair.0, pair.1, key.element)
      guard let later = isBefore else {
        isBefore = less
        continue
      }
      let isSame = try comparator.isSame(pair.0, pair.1, key.element)
      isBefore = try comparator.append(.pointwise(.or), [less, comparator.append(.pointwise(.and), [isSame, later])])
    }
    if let isBefore { comparator.results = [isBefore] }
    return try emitAll(.sort(Sort(dimension: axis, isStable: true, comparator: comparator)), values)
  }

  /// Which elements of a list are the same; NaN is the same as NaN.
  package mutating func isSame(_ x: Value, _ y: Value) throws(OpError) -> Value {
    let equal = try compare(.equal, x, y)
    guard x.element.isFloat else { return equal }
    return try map(.or, equal, map(.and, compare(.notEqual, x, x), compare(.notEqual, y, y)))
  }

  /// For each element of a list, how many different ones are less; of equal lists of keys by the first key in which they differ.
  package mutating func denseRanks(_ keys: [Value]) throws(OpError) -> Value {
    let extent = keys[0].shape[0]
    let positions = try iota(.i64, [extent], axis: 0)
    let ordered = try sorted(keys + [positions], keyCount: keys.count, axis: 0)
    var isNew = try compare(.equal, positions, 0)
    for key in ordered.dropLast() {
      let before = try shifted(key, 0, by: 1, .zero(key.element))
      isNew = try map(.or, isNew, map(.not, isSame(key, before)))
    }
    let ranks = try subtract(scan(convert(isNew, .i64), 0, .add, isReversed: false), 1)
    return try scatter(ranks, into: splat(0, .i64, [extent]), at: unsqueeze(ordered[keys.count], 1), nil)
  }

  /// The different parts of `x` along an axis, compared element by element: the least first, or in the order in which they come.
  package mutating func unique(_ x: Value, axis: Int, isSorted: Bool) throws(OpError) -> UniqueParts {
    let extent = x.shape[axis]
    var ranks = try self.ranks(of: x, axis: axis)
    let positions = try iota(.i64, [extent], axis: 0)
    let nowhere = try splat(Double(Int32.max), .i64, [extent])
    // Of the least of an empty list there is no rank.
    let most = try scalar(of: extent, .i64)
    let count = try select(compare(.equal, most, 0), most, add(reduce(ranks, [0], .maximum), 1))
    var firsts = try scatter(positions, into: nowhere, at: unsqueeze(ranks, 1), .minimum)
    if !isSorted {
      let order = try sort([firsts, positions], axis: 0, .less)
      let places = try scatter(positions, into: positions, at: unsqueeze(order[1], 1), nil)
      (firsts, ranks) = (order[0], try take(places, ranks, axis: 0))
    }
    let result = dataExtent("unique", most: extent)
    let chosen = try first(result, of: firsts, count: count)
    return UniqueParts(values: try take(x, chosen, axis: axis), firsts: chosen, places: ranks, count: count)
  }

  /// How often each of the different parts is there.
  package mutating func counts(of parts: UniqueParts) throws(OpError) -> Value {
    let extent = parts.places.shape[0]
    let ones = try splat(1, .i64, [extent])
    let counts = try scatter(ones, into: splat(0, .i64, [extent]), at: unsqueeze(parts.places, 1), .add)
    return try first(parts.firsts.shape[0], of: counts, count: parts.count)
  }

  /// For each part of `x` along an axis, how many different ones come before it.
  private mutating func ranks(of x: Value, axis: Int) throws(OpError) -> Value {
    let order = [axis] + x.shape.indices.filter { $0 != axis }
    let rest = TensorType(x.element, order.dropFirst().map { x.shape[$0] }).elementCount
    let rows = try reshape(transpose(x, order), [x.shape[axis], rest])
    if rest == .one { return try denseRanks([reshape(rows, [x.shape[axis]])]) }
    let initial = try splat(0, .i64, [x.shape[axis]])
    return try loop(count: scalar(of: rest, .i64), [initial]) { (n, step, values) throws(OpError) in
      [try n.denseRanks([values[0], n.element(of: rows, at: step, axis: 1)])]
    }[0]
  }
}

/// What is different of a tensor's parts.
package struct UniqueParts {
  /// The different parts.
  package let values: Value
  /// Where each is at first; i64.
  package let firsts: Value
  /// For each part of the tensor, which of the different ones it is; i64.
  package let places: Value
  /// How many different ones there are; an i64 scalar.
  let count: Value
}

extension Graph {
  private func order(_ element: ElementType) -> ComparisonType {
    element.isFloat ? .float : element.kind == .signed ? .signed : .unsigned
  }

  /// Whether `a` is less than `b`, where NaN is more than all else.
  fileprivate mutating func isBefore(_ a: ValueID, _ b: ValueID, _ element: ElementType) throws(OpError) -> ValueID {
    let less = try append(.pointwise(.compare(.less, order(element))), [a, b])
    guard element.isFloat else { return less }
    let isLast = try append(.pointwise(.compare(.notEqual, .float)), [b, b])
    let isNumber = try append(.pointwise(.compare(.equal, .float)), [a, a])
    return try append(.pointwise(.or), [less, append(.pointwise(.and), [isNumber, isLast])])
  }

  fileprivate mutating func isSame(_ a: ValueID, _ b: ValueID, _ element: ElementType) throws(OpError) -> ValueID {
    let equal = try append(.pointwise(.compare(.equal, order(element))), [a, b])
    guard element.isFloat else { return equal }
    let isNaN = try append(.pointwise(.compare(.notEqual, .float)), [a, a])
    let isToo = try append(.pointwise(.compare(.notEqual, .float)), [b, b])
    return try append(.pointwise(.or), [equal, append(.pointwise(.and), [isNaN, isToo])])
  }
}

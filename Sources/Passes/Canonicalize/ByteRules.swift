import IR

extension Rule {
  /// Products of converted bytes become products of the bytes: a quarter of the memory is read, nothing is converted before,
  /// and some machines multiply four bytes at once. All of it is exact, since integers of 32 bits wrap.
  static let bytes: [Rule] = [dotOfCentred, convolutionOfCentred, dotOfBytes, convolutionOfBytes]

  /// `dot_general(convert(x), convert(y)) -> dot_general(x, y)` for bytes x and y and sums of 32 bits; a constant whose
  /// elements fit into bytes counts as a converted one.
  static let dotOfBytes = Rule("dot-of-bytes") { op, operands, b throws(OpError) in
    guard case .dotGeneral(let dot) = op, dot.resultType.isWord, let new = try b.bytes(of: operands) else { return nil }
    return try b.append(op, new)
  }

  /// `convolution(convert(x), convert(k)) -> convolution(x, k)`, as `dot-of-bytes`.
  static let convolutionOfBytes = Rule("convolution-of-bytes") { op, operands, b throws(OpError) in
    guard case .convolution(let convolution) = op, convolution.resultType.isWord,
      let new = try b.bytes(of: operands)
    else { return nil }
    return try b.append(op, new)
  }

  /// `dot_general(convert(x) - z, y) -> dot_general(convert(x), y) - z * sum(y)` where x are bytes, z is the same along what
  /// is contracted, and y are converted bytes too, less a number or not; and so for the right operand.
  static let dotOfCentred = Rule("dot-of-centred") { op, operands, b throws(OpError) in
    guard case .dotGeneral(let dot) = op, dot.resultType.isWord,
      operands.allSatisfy({ b.type(of: $0).elementType == dot.resultType })
    else { return nil }
    let result = try op.inferTypes(operands.map { b.type(of: $0) })[0]
    for side in [0, 1] {
      let (own, other) = (operands[side], operands[1 - side])
      guard let centred = b.centred(own), b.isBytes(other) || b.centred(other) != nil else { continue }
      let ranks = operands.map { b.type(of: $0).rank }
      let places = dot.places(ranks)
      guard let zero = try b.spread(centred.zero, to: result, at: places[side]) else { continue }
      let contracted = side == 0 ? dot.dimensions.rhsContracting : dot.dimensions.lhsContracting
      let sum = try b.sum(of: other, along: contracted)
      let sums = try b.broadcast(sum, to: result, at: places[1 - side].compactMap { $0 })
      var new = operands
      new[side] = centred.value
      return try b.pointwise(.subtract, [b.append(op, new), b.pointwise(.multiply, [sums, zero])])
    }
    return nil
  }

  /// `convolution(convert(x) - z, k) -> convolution(convert(pad(x, z)), k) - z * sum(k)` where x are bytes, z is one
  /// number, and k are converted bytes: what was padding is z then.
  static let convolutionOfCentred = Rule("convolution-of-centred") { op, operands, b throws(OpError) in
    guard case .convolution(var convolution) = op, convolution.resultType.isWord,
      operands.allSatisfy({ b.type(of: $0).elementType == convolution.resultType }),
      let centred = b.centred(operands[0]),
      b.isBytes(operands[1]), let zero = try b.scalar(centred.zero)
    else { return nil }
    let (numbers, window) = (convolution.dimensionNumbers, convolution.window)
    let result = try op.inferTypes(operands.map { b.type(of: $0) })[0]
    var image = centred.value
    if window.contains(where: { $0.paddingLow != 0 || $0.paddingHigh != 0 || $0.baseDilation != 1 }) {
      let source = b.target[image].operands[0]
      guard window.allSatisfy({ $0.baseDilation == 1 }),
        let byte = try b.byte(zero, b.type(of: source).elementType)
      else { return nil }
      var low = [Extent](repeating: .zero, count: b.type(of: source).rank)
      var high = low
      for (position, dimension) in numbers.inputSpatial.enumerated() {
        low[dimension] = Extent(window[position].paddingLow)
        high[dimension] = Extent(window[position].paddingHigh)
        convolution.window[position].paddingLow = 0
        convolution.window[position].paddingHigh = 0
      }
      let pad = Pad(low: low, high: high, interior: [Int](repeating: 0, count: low.count))
      image = try b.pointwise(.convert(convolution.resultType), [b.append(.pad(pad), [source, byte])])
    }
    let summed = b.type(of: operands[1]).dimensions.indices.filter { $0 != numbers.kernelOutputFeature }
    let sum = try b.sum(of: operands[1], along: summed)
    let product = try b.pointwise(.multiply, [sum, b.broadcast(zero, to: b.type(of: sum), at: [])])
    let spread = try b.broadcast(product, to: result, at: [numbers.outputFeature])
    return try b.pointwise(.subtract, [b.append(.convolution(convolution), [image, operands[1]]), spread])
  }
}

extension ElementType {
  var isByte: Bool { self == .i8 || self == .ui8 }
  fileprivate var isWord: Bool { self == .i32 || self == .ui32 }
}

extension DotGeneral {
  /// For each dimension of the left and of the right operand the result's dimension that it becomes, if it becomes one.
  func places(_ ranks: [Int]) -> [[Int?]] {
    let d = dimensions
    let (rows, columns) = (d.lhsFree(rank: ranks[0]), d.rhsFree(rank: ranks[1]))
    var places = ranks.map { [Int?](repeating: nil, count: $0) }
    for (place, (l, r)) in zip(d.lhsBatching, d.rhsBatching).enumerated() {
      (places[0][l], places[1][r]) = (place, place)
    }
    for (place, l) in rows.enumerated() { places[0][l] = d.lhsBatching.count + place }
    for (place, r) in columns.enumerated() { places[1][r] = d.lhsBatching.count + rows.count + place }
    return places
  }
}

extension Rebuilder {
  /// Whether the words of 32 bits are bytes that were converted, or a constant that could be.
  fileprivate func isBytes(_ value: ValueID) -> Bool {
    guard isWord(value) else { return false }
    if case .pointwise(let pointwise) = op(value), case .convert = pointwise.function {
      return type(of: target[value].operands[0]).elementType.isByte
    }
    return literal(value).map { $0.byteType != nil } ?? false
  }

  private func isWord(_ value: ValueID) -> Bool { type(of: value).elementType.isWord }

  /// The operands as bytes, if all can be and one of them is no constant.
  fileprivate mutating func bytes(of operands: [ValueID]) throws(OpError) -> [ValueID]? {
    guard operands.contains(where: { literal($0) == nil }), operands.allSatisfy(isBytes) else { return nil }
    var new: [ValueID] = []
    for operand in operands {
      if let literal = literal(operand), let type = literal.byteType {
        new.append(try constant(literal.lowBytes(type)))
      } else {
        new.append(target[operand].operands[0])
      }
    }
    return new
  }

  /// `value - zero`, where the value is converted bytes.
  fileprivate func centred(_ difference: ValueID) -> (value: ValueID, zero: ValueID)? {
    guard isWord(difference), case .pointwise(let pointwise) = op(difference), pointwise.function == .subtract else {
      return nil
    }
    let operands = target[difference].operands
    guard literal(operands[0]) == nil, isBytes(operands[0]) else { return nil }
    return (operands[0], operands[1])
  }

  /// The value spread over the result's dimensions, `places` of its own; nil unless it is the same along those that have
  /// no place.
  fileprivate mutating func spread(_ value: ValueID, to result: TensorType, at places: [Int?]) throws(OpError)
    -> ValueID?
  {
    if let splat = splat(value) { return try constant(splat, result) }
    guard case .broadcastInDim(let spread) = op(value) else { return nil }
    let source = target[value].operands[0]
    let extents = type(of: source).dimensions
    let kept = extents.indices.filter { extents[$0] != .one }
    let found = kept.compactMap { places[spread.dimensions[$0]] }
    guard found.count == kept.count else { return nil }
    return try broadcast(reshaped(source, to: kept.map { extents[$0] }), to: result, at: found)
  }

  /// The one number that all elements are, as a scalar.
  fileprivate mutating func scalar(_ value: ValueID) throws(OpError) -> ValueID? {
    if let splat = splat(value) { return try constant(.scalar(splat, type(of: value).elementType)) }
    guard case .broadcastInDim = op(value) else { return nil }
    let source = target[value].operands[0]
    return type(of: source).elementCount == .one ? try reshaped(source, to: []) : nil
  }

  /// The byte that a scalar was converted from, or a constant's.
  fileprivate mutating func byte(_ scalar: ValueID, _ type: ElementType) throws(OpError) -> ValueID? {
    if let splat = splat(scalar) {
      return type.wrapped(splat.integerValue) == splat.integerValue ? try constant(.scalar(splat, type)) : nil
    }
    var value = scalar
    while case .reshape = op(value) { value = target[value].operands[0] }
    guard case .pointwise(let pointwise) = op(value), case .convert = pointwise.function else { return nil }
    let source = target[value].operands[0]
    return self.type(of: source).elementType == type ? try reshaped(source, to: []) : nil
  }

  fileprivate mutating func broadcast(_ value: ValueID, to type: TensorType, at dimensions: [Int]) throws(OpError)
    -> ValueID
  {
    try append(
      .broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: type.dimensions)), [value])
  }

  fileprivate mutating func sum(of value: ValueID, along dimensions: [Int]) throws(OpError) -> ValueID {
    if dimensions.isEmpty { return value }
    let element = type(of: value).elementType
    var body = Graph()
    let (x, y) = (body.addParameter(.scalar(element)), body.addParameter(.scalar(element)))
    body.results = [try body.append(.pointwise(.add), [x, y])]
    let zero = try constant(.scalar(.zero(element), element))
    return try append(.reduce(Reduce(dimensions: dimensions.sorted(), body: body)), [value, zero])
  }
}

extension Literal {
  /// The type of bytes that all elements of 32 bits fit into. O(elements).
  fileprivate var byteType: ElementType? {
    var (fitsSigned, fitsUnsigned) = (true, true)
    for first in stride(from: 0, to: bytes.count, by: 4) where fitsSigned || fitsUnsigned {
      let high = (bytes[first + 1], bytes[first + 2], bytes[first + 3])
      if high != (0, 0, 0) { fitsUnsigned = false }
      let sign: UInt8 = bytes[first] < 128 ? 0 : 255
      // As an unsigned word a negative number is large.
      if high != (sign, sign, sign) || (elementType == .ui32 && sign != 0) { fitsSigned = false }
    }
    return fitsSigned ? .i8 : fitsUnsigned ? .ui8 : nil
  }

  /// The lowest byte of each element of 32 bits.
  fileprivate func lowBytes(_ type: ElementType) -> Literal {
    if let splatValue { return Literal(type, dimensions, splat: splatValue) }
    return Literal(type, dimensions, bytes: stride(from: 0, to: bytes.count, by: 4).map { bytes[$0] })
  }
}

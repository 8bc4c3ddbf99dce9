extension Literal {
  /// The literal whose element at index `i` has the bits of this one's at position `offset + i[0] * strides[0] + …`.
  ///
  /// Bytes are copied as they are, runs of neighbours at once. O(elements).
  public func strided(_ dimensions: [Int], offset: Int, strides: [Int]) -> Literal {
    precondition(dimensions.count == strides.count, "a stride for each dimension")
    if isSplat { return Literal(elementType, dimensions, splat: self[0]) }
    let count = dimensions.reduce(1, *)
    let size = elementType.byteCount
    if count == 0 { return Literal(elementType, dimensions, bytes: []) }
    let largest = zip(dimensions, strides).reduce(offset) { $0 + max(0, ($1.0 - 1) * $1.1) }
    let smallest = zip(dimensions, strides).reduce(offset) { $0 + min(0, ($1.0 - 1) * $1.1) }
    precondition(smallest >= 0 && largest < elementCount, "a strided reading stays inside the literal")
    let inner = dimensions.last ?? 1
    let innerStride = strides.last ?? 1
    let outer = Array(dimensions.dropLast())
    let copied = [UInt8](unsafeUninitializedCapacity: count * size) { target, filled in
      bytes.withUnsafeBytes { source in
        guard let to = UnsafeMutableRawPointer(target.baseAddress), let from = source.baseAddress else { return }
        var place = 0
        forEachIndex(outer) { index in
          var start = offset
          for (i, stride) in zip(index, strides) { start += i * stride }
          if innerStride == 1 {
            (to + place * size).copyMemory(from: from + start * size, byteCount: inner * size)
          } else {
            Self.copy(inner, from: from + start * size, stride: innerStride, to: to + place * size, size: size)
          }
          place += inner
        }
      }
      filled = count * size
    }
    return Literal(elementType, dimensions, bytes: copied)
  }

  /// The literals one after the other along `dimension`; they agree in their other dimensions and in their type.
  ///
  /// Bytes are copied as they are, runs of neighbours at once. O(elements).
  public static func concatenated(_ literals: [Literal], along dimension: Int) -> Literal {
    precondition(!literals.isEmpty, "at least one literal")
    let elementType = literals[0].elementType
    var dimensions = literals[0].dimensions
    let outerCount = dimensions[..<dimension].reduce(1, *)
    let sources = literals.map(\.expanded)
    let runs = sources.map { $0.dimensions[dimension...].reduce(elementType.byteCount, *) }
    dimensions[dimension] = literals.reduce(0) { $0 + $1.dimensions[dimension] }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(outerCount * runs.reduce(0, +))
    for outer in 0..<outerCount {
      for (source, run) in zip(sources, runs) {
        bytes.append(contentsOf: source.bytes[outer * run..<(outer + 1) * run])
      }
    }
    return Literal(elementType, dimensions, bytes: bytes)
  }

  /// Copies `count` elements of `size` bytes that lie `stride` elements apart.
  private static func copy(
    _ count: Int, from: UnsafeRawPointer, stride: Int, to: UnsafeMutableRawPointer, size: Int
  ) {
    func copy<Unit: BitwiseCopyable>(as _: Unit.Type) {
      for i in 0..<count {
        let unit = (from + i * stride * size).loadUnaligned(as: Unit.self)
        (to + i * size).storeBytes(of: unit, as: Unit.self)
      }
    }
    switch size {
    case 1: copy(as: UInt8.self)
    case 2: copy(as: UInt16.self)
    case 4: copy(as: UInt32.self)
    case 8: copy(as: UInt64.self)
    default: for i in 0..<count { (to + i * size).copyMemory(from: from + i * stride * size, byteCount: size) }
    }
  }

  /// The f32 literal of `combine` on the elements of f32 literals with the same dimensions, or splats.
  public static func mapped(
    _ a: Literal, _ b: Literal, _ dimensions: [Int], _ combine: (Float, Float) -> Float
  ) -> Literal {
    precondition(a.elementType == .f32 && b.elementType == .f32, "the elements are f32")
    let count = dimensions.reduce(1, *)
    let (stepA, stepB) = (a.isSplat ? 0 : 4, b.isSplat ? 0 : 4)
    let bytes = [UInt8](unsafeUninitializedCapacity: count * 4) { target, filled in
      let to = UnsafeMutableRawBufferPointer(target)
      a.bytes.withUnsafeBytes { x in
        b.bytes.withUnsafeBytes { y in
          for i in 0..<count {
            let left = x.loadUnaligned(fromByteOffset: i * stepA, as: Float.self)
            let right = y.loadUnaligned(fromByteOffset: i * stepB, as: Float.self)
            to.storeBytes(of: combine(left, right), toByteOffset: i * 4, as: Float.self)
          }
        }
      }
      filled = count * 4
    }
    return Literal(.f32, dimensions, bytes: bytes)
  }

  /// The literal with each element converted, as `convert` defines it.
  public func converted(to type: ElementType) -> Literal {
    if let value = splatValue { return Literal(type, dimensions, splat: value.converted(from: elementType, to: type)) }
    let source = elementType
    if source == .f32, type == .bf16 { return roundedToBFloat }
    let size = source.byteCount
    let count = elementCount
    return bytes.withUnsafeBytes { raw in
      Literal(
        type, dimensions,
        (0..<count).lazy.map { source.scalar(in: raw, at: $0 * size).converted(from: source, to: type) })
    }
  }

  /// The f32 literal in bf16, ties to even: weights, of which models have many.
  private var roundedToBFloat: Literal {
    let count = elementCount
    let rounded = [UInt8](unsafeUninitializedCapacity: count * 2) { target, filled in
      let to = UnsafeMutableRawBufferPointer(target)
      bytes.withUnsafeBytes { from in
        for i in 0..<count {
          let bits = from.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)
          let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
          let half = isNaN ? bits | 0x40_0000 : bits &+ 0x7FFF &+ (bits >> 16 & 1)
          to.storeBytes(of: UInt16(truncatingIfNeeded: half >> 16), toByteOffset: i * 2, as: UInt16.self)
        }
      }
      filled = count * 2
    }
    return Literal(.bf16, dimensions, bytes: rounded)
  }

  /// The float literal with each element times the factor for its index along `dimension`, rounded once.
  public func scaled(along dimension: Int, by factors: [Double]) -> Literal {
    precondition(factors.count == dimensions[dimension], "a factor for each index")
    let inner = dimensions[(dimension + 1)...].reduce(1, *)
    let type = elementType
    let size = type.byteCount
    let count = elementCount
    let step = isSplat ? 0 : size
    return bytes.withUnsafeBytes { raw in
      if type == .f32 {
        let scaled = [UInt8](unsafeUninitializedCapacity: count * 4) { target, filled in
          let to = UnsafeMutableRawBufferPointer(target)
          guard inner > 0, let source = raw.baseAddress else { return }
          var i = 0
          for run in 0..<(count / inner) {
            let factor = factors[run % factors.count]
            for _ in 0..<inner {
              let value = Double((source + i * step).loadUnaligned(as: Float.self))
              to.storeBytes(of: Float(value * factor), toByteOffset: i * 4, as: Float.self)
              i += 1
            }
          }
          filled = count * 4
        }
        return Literal(type, dimensions, bytes: scaled)
      }
      let values = (0..<count).lazy.map { i in
        Scalar(type.scalar(in: raw, at: i * step).realValue * factors[i / inner % factors.count], type)
      }
      return Literal(type, dimensions, values)
    }
  }
}

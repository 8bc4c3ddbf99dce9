import IR

/// The depth of a product in pieces of several steps, whose elements are read together.
struct DepthPieces {
  /// The dimensions that the depth runs over.
  let extents: [Extent]
  /// Steps in a piece.
  let length: Int

  typealias Read = (
    inout ElementLowering, inout KernelBuilder, _ at: [IntegerExpression], _ mask: Register?
  ) -> Register

  /// Whether a piece never reaches beyond the innermost dimension.
  private var liesInside: Bool { extents.last?.fixed.map { $0 % length == 0 } ?? false }
  private var stepCount: Extent { extents.reduce(.one) { $0 * $1 } }

  /// How many pieces there are.
  var count: Extent { (stepCount + (length - 1)).floorDivided(by: Extent(length)) }

  /// Loads of 16 bytes, or of an element, for a piece.
  func loadCount(areNeighbours: Bool, byteCount: Int) -> Double {
    Double(liesInside && areNeighbours ? max(1, length * byteCount / 16) : length)
  }

  /// The elements of a piece, a lane each; those beyond the depth are zero. Where the mask is false they do not matter.
  ///
  /// `read` gives an element; its index may vary by lane if neighbours are neighbours in memory.
  func elements(
    of piece: IntegerExpression, isContiguous: Bool, mask: Register?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder, _ read: Read
  ) -> Register {
    guard liesInside else { return apart(piece, mask, &lowering, &b, read) }
    let last = extents.count - 1
    var inner = extents
    inner[last] = extents[last].floorDivided(by: Extent(length))
    var at = b.positions(of: piece, in: inner)
    let first = at[last] * length
    guard isContiguous else {
      let elements = (0..<length).map { step in
        at[last] = first + step
        return read(&lowering, &b, at, mask)
      }
      return together(elements, &b)
    }
    at[last] = first + .lane
    var elements: Register?
    lowering.withLanes(length, &b) { elements = read(&$0, &$1, at, mask) }
    guard let elements else { preconditionFailure("a scope runs once") }
    return b.widen(elements, to: length)
  }

  /// Each element at the position that its number has.
  private func apart(
    _ piece: IntegerExpression, _ mask: Register?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ read: Read
  ) -> Register {
    let isWhole = stepCount.fixed.map { $0 % length == 0 } ?? false
    var elements: [Register] = []
    for step in 0..<length {
      let number = b.materialize(piece * length + step, lanes: 1)
      let inside = isWhole ? nil : b.isWithin(b.index(of: number), stepCount, lanes: 1)
      let at = b.positions(of: b.index(of: number, bound: stepCount), in: extents)
      let element = read(&lowering, &b, at, b.and(mask, inside))
      let type = b.type(of: element).element
      elements.append(inside.map { b.apply(.select, [$0, element, b.constant(.zero(type), type)]) } ?? element)
    }
    return together(elements, &b)
  }

  /// Scalars as the lanes of one register.
  private func together(_ scalars: [Register], _ b: inout KernelBuilder) -> Register {
    var parts = scalars
    while parts.count > 1 {
      parts = stride(from: 0, to: parts.count, by: 2).map { first in
        let type = b.type(of: parts[first])
        let wide = RegisterType(type.element, lanes: 2 * type.lanes)
        return b.define(wide, .shuffle(parts[first], parts[first + 1], Array(0..<wide.lanes)))
      }
    }
    return parts[0]
  }
}

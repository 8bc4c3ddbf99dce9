import IR

/// What a comparator orders elements by, where that is one integer or float of each: it says whether `f(x) < f(y)`, or
/// `>`.
///
/// Elements are ordered by integers then, those of equal integers by their positions. Where floats are compared by `<`
/// or `>`, NaN comes last, as in `Graph.orderingNaNs`.
struct SortKey {
  /// The operand of the sort that is compared.
  let operand: Int
  /// The type of the integers.
  let type: ElementType
  /// From an element to what is compared of it.
  private let value: Graph
  private let valueType: ElementType
  private let order: ComparisonType
  private let isDescending: Bool

  init?(_ comparator: Graph) {
    let last = comparator[comparator.results[0]]
    guard case .pointwise(let pointwise) = last.op, case .compare(let direction, let order) = pointwise.function,
      [.less, .greater].contains(direction),
      let operand = comparator.mirroredOperand(last.operands[0], last.operands[1])
    else { return nil }
    let valueType = comparator.type(of: last.operands[0]).elementType
    switch (order, valueType) {
    case (.float, .f16), (.float, .bf16), (.float, .f32), (.float, .f64): break
    case (.totalOrder, .f16), (.totalOrder, .bf16), (.totalOrder, .f32), (.totalOrder, .f64): break
    case (.signed, .i8), (.signed, .i16), (.signed, .i32), (.signed, .i64): break
    case (.unsigned, .ui8), (.unsigned, .ui16), (.unsigned, .ui32), (.unsigned, .ui64): break
    default: return nil
    }
    self.operand = operand.number
    self.valueType = valueType
    self.order = order
    value = comparator.expression(last.operands[0])
    type = .signedInteger(byteCount: valueType.byteCount)
    isDescending = (direction == .greater) != operand.isSwapped
  }

  var bitCount: Int { type.byteCount * 8 }
  private var isElement: Bool { value[value.results[0]].op.isParameter }
  /// Whether elements of equal integers have the same bits.
  var isExact: Bool { isElement && order != .float }

  /// Whether those that have not are few: what is compared is the element but for zeros and NaN.
  var isNearlyExact: Bool {
    guard value.parameterTypes[0].elementType == valueType else { return false }
    return value.nodes.allSatisfy { node in
      guard case .pointwise(let pointwise) = node.op else { return true }
      switch pointwise.function {
      case .select, .compare, .and, .or, .not: return true
      default: return false
      }
    }
  }

  /// The integers that elements are ordered by.
  func integers(of elements: Register, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) -> Register {
    let value = b.widen(lowering.inlined(self.value, [elements], in: &b)[0], to: b.lanes(of: elements))
    var bits = bits(of: value, &b)
    guard valueType.isFloat else {
      if valueType != type { bits = b.apply(.xor, [bits, least(&b)]) }
      return isDescending ? b.apply(.not, [bits]) : bits
    }
    if order == .float {
      let zero = b.constant(.zero(type), type)
      let isZero = b.apply(.compare(.equal, .float), [value, b.constant(.zero(valueType), valueType)])
      let isNaN = b.apply(.compare(.notEqual, .float), [value, value])
      // The last of all in total order, backwards too.
      let nan = isDescending ? b.constant(.integer(-1), type) : greatest(&b)
      bits = b.apply(.select, [isNaN, nan, b.apply(.select, [isZero, zero, bits])])
    }
    let integers = mirrored(bits, &b)
    return isDescending ? b.apply(.not, [integers]) : integers
  }

  /// The elements that have the integers, where those tell which.
  func elements(of integers: Register, _ b: inout KernelBuilder) -> Register {
    let integers = isDescending ? b.apply(.not, [integers]) : integers
    if valueType.isFloat { return b.apply(.bitcast(valueType), [mirrored(integers, &b)]) }
    return valueType == type ? integers : b.apply(.bitcast(valueType), [b.apply(.xor, [integers, least(&b)])])
  }

  /// Zero in lanes where the integers tell what the elements are.
  func difference(_ elements: Register, _ integers: Register, _ b: inout KernelBuilder) -> Register {
    let told = self.elements(of: integers, &b)
    return b.apply(.xor, [bits(of: elements, &b), bits(of: told, &b)])
  }

  /// The bits of integers whose digits have the same order.
  func digits(of integers: Register, _ b: inout KernelBuilder) -> Register {
    b.apply(.xor, [integers, least(&b)])
  }

  private func bits(of value: Register, _ b: inout KernelBuilder) -> Register {
    valueType == type ? value : b.apply(.bitcast(type), [value])
  }

  private func least(_ b: inout KernelBuilder) -> Register {
    b.constant(.integer(Int64.min >> Int64(64 - bitCount)), type)
  }

  /// The last of all integers.
  func greatest(_ b: inout KernelBuilder) -> Register { b.apply(.not, [least(&b)]) }

  /// Negative numbers with all bits but the sign inverted: the bits of floats become integers in total order, and back.
  private func mirrored(_ bits: Register, _ b: inout KernelBuilder) -> Register {
    let signs = b.apply(.shiftRightArithmetic, [bits, b.constant(.integer(Int64(bitCount - 1)), type)])
    return b.apply(.xor, [bits, b.apply(.shiftRightLogical, [signs, b.constant(.integer(1), type)])])
  }
}

extension Graph {
  /// The operand of a sort of which two values of its comparator are the same function, one of its left and the other
  /// of its right element, and whether the first is of the right.
  fileprivate func mirroredOperand(_ x: ValueID, _ y: ValueID) -> (number: Int, isSwapped: Bool)? {
    var operands: Set<[Int]> = []
    var seen: Set<[ValueID]> = []
    func isMirrored(_ x: ValueID, _ y: ValueID) -> Bool {
      guard seen.insert([x, y]).inserted else { return true }
      switch (self[x].op, self[y].op) {
      case (.parameter(let left), .parameter(let right)):
        operands.insert([left.index, right.index])
        return left.index / 2 == right.index / 2 && left.index != right.index
      case (.constant, .constant): return self[x].op == self[y].op
      case (.pointwise(let left), .pointwise(let right)):
        return left == right && zip(self[x].operands, self[y].operands).allSatisfy { isMirrored($0, $1) }
      default: return false
      }
    }
    guard isMirrored(x, y), operands.count == 1, let pair = operands.first else { return nil }
    return (pair[0] / 2, pair[0] % 2 == 1)
  }

  /// A value of scalars that depends on one parameter, as a graph of that.
  fileprivate func expression(_ value: ValueID) -> Graph {
    var expression = Graph()
    var whole = self
    whole.results = [value]
    let live = whole.liveValues
    var copies: [ValueID: ValueID] = [:]
    for value in values where live[value.index] {
      let node = self[value]
      if node.op.isParameter {
        copies[value] = expression.addParameter(node.type)
      } else {
        copies[value] = expression.appendUnchecked(
          Node(
            op: node.op, operands: node.operands.compactMap { copies[$0] }, resultTypes: node.resultTypes,
            location: .unknown))
      }
    }
    expression.results = [value].compactMap { copies[$0] }
    return expression
  }
}

extension ElementType {
  fileprivate static func signedInteger(byteCount: Int) -> ElementType {
    switch byteCount {
    case 1: .i8
    case 2: .i16
    case 4: .i32
    default: .i64
    }
  }
}

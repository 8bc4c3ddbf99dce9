import IR

/// What statements ask of a core, in operations and in the units that do them.
struct Work {
  /// Arithmetic of floats, lane by lane; a multiply-add counts as two.
  var flops = 0.0
  /// Those of them that an instruction does beside others in the same lane.
  var besideFlops = 0.0
  /// Instructions of the units that multiply and add.
  var multiplyAdds = 0.0
  /// Instructions of any unit for vectors, those that multiply and add included.
  var vectors = 0.0
  /// Instructions that move lanes, for which there is one unit.
  var shuffles = 0.0
  /// Cycles of the unit that divides.
  var divisions = 0.0
  var loads = 0.0
  var stores = 0.0
  /// Instructions for integers.
  var scalars = 0.0
  /// Cycles of the unit that multiplies tiles.
  var tileCycles = 0.0
  /// Cycles in which nothing else can be done.
  var waits = 0.0

  static func += (a: inout Work, b: Work) {
    a.flops += b.flops
    a.besideFlops += b.besideFlops
    a.multiplyAdds += b.multiplyAdds
    a.vectors += b.vectors
    a.shuffles += b.shuffles
    a.divisions += b.divisions
    a.loads += b.loads
    a.stores += b.stores
    a.scalars += b.scalars
    a.tileCycles += b.tileCycles
    a.waits += b.waits
  }

  static func * (a: Work, times: Double) -> Work {
    var work = a
    work.flops *= times
    work.besideFlops *= times
    work.multiplyAdds *= times
    work.vectors *= times
    work.shuffles *= times
    work.divisions *= times
    work.loads *= times
    work.stores *= times
    work.scalars *= times
    work.tileCycles *= times
    work.waits *= times
    return work
  }

  /// Cycles in which the busiest unit works.
  func busyCycles(_ target: Target) -> Double {
    let vectorUnits = target.vectorByteCount >= 64 ? 2.0 : 3.0
    let decoded = vectors + loads + stores + scalars
    return max(
      multiplyAdds / Double(target.multiplyAddPorts), vectors / vectorUnits, shuffles, loads / 2, stores,
      tileCycles, decoded / Self.instructionsPerCycle)
  }

  /// Cycles until all is done; other work goes on beside divisions.
  func cycles(_ target: Target) -> Double { max(busyCycles(target), divisions) + waits }

  /// What a core decodes in a cycle; a load that an operation reads directly is decoded with it.
  private static let instructionsPerCycle = 5.0
}

/// What operations cost on a target.
struct OperationCosts {
  let target: Target

  private var hasMaskRegisters: Bool { target.vectorByteCount >= 64 }

  /// Registers of the machine that a value takes.
  func registers(_ type: RegisterType) -> Double {
    let bytes = type.element.isBoolean ? 1 : type.element.byteCount
    return Double(max(1, (type.lanes * bytes + target.vectorByteCount - 1) / target.vectorByteCount))
  }

  /// A function of operands of this type, whose result has `result`.
  func work(_ function: ScalarFunction, _ operand: RegisterType, _ result: RegisterType) -> Work {
    var work = Work()
    let wide = max(registers(operand), registers(result))
    let element = operand.element
    let isFloat = element.isFloat || element.isComplex
    switch function {
    case .bitcast, .real, .imaginary, .complex: return work
    case .convert(let to): return conversion(element, to, wide)
    case .divide, .remainder, .squareRoot, .reciprocalSquareRoot:
      guard isFloat else {
        work.scalars = 8 * Double(operand.lanes)
        work.divisions = 6 * Double(operand.lanes)
        return work
      }
      let perLane = element.byteCount > 4 ? 2.0 : 0.65
      work.divisions = max(3, perLane * Double(operand.lanes))
      work.vectors = wide
      work.flops = Double(operand.lanes)
    case .add, .subtract, .multiply, .minimum, .maximum, .negate, .abs:
      let count = element.isComplex ? (function == .multiply ? 4.0 : 2.0) : 1.0
      work.vectors = wide * count * (function == .multiply && element.isInteger && element.byteCount == 8 ? 3 : 1)
      if isFloat {
        work.multiplyAdds = work.vectors
        work.flops = Double(operand.lanes) * count
      }
    case .compare:
      work.vectors = wide
      // Masks come from one unit.
      if hasMaskRegisters { work.shuffles = wide }
    case .select where hasMaskRegisters:
      // Mostly a mask of the operation whose result is chosen.
      work.vectors = wide / 2
    case .select, .and, .or, .xor, .not, .shiftLeft, .shiftRightLogical, .shiftRightArithmetic, .isFinite, .isInfinite:
      work.vectors = wide
    case .floor, .ceil, .roundNearestEven:
      work.vectors = 2 * wide
      work.flops = Double(operand.lanes)
    default:
      // What is no primitive has been expanded; the rest are a few instructions.
      work.vectors = 4 * wide
      if isFloat { work.flops = Double(operand.lanes) }
    }
    return work
  }

  private func conversion(_ from: ElementType, _ to: ElementType, _ wide: Double) -> Work {
    var work = Work()
    if from.isInteger, to.isInteger, from.byteCount == to.byteCount { return work }
    let isNarrow = { (type: ElementType) in type.isFloat && type.byteCount < 4 }
    // bf16 and the narrower floats are put together from integer operations.
    work.vectors = isNarrow(to) && to != .f16 ? 6 * wide : 2 * wide
    work.shuffles = from.byteCount == to.byteCount ? 0 : wide
    return work
  }

  func multiplyAdd(_ type: RegisterType) -> Work {
    var work = Work()
    work.multiplyAdds = registers(type) * (target.hasMultiplyAdd ? 1 : 2)
    work.vectors = work.multiplyAdds
    work.flops = 2 * Double(type.lanes)
    return work
  }

  /// Products of two numbers in each lane, added to a sum.
  func bfloatProducts(_ type: RegisterType) -> Work {
    var work = multiplyAdd(type)
    work.besideFlops = work.flops
    work.flops *= 2
    return work
  }

  /// A load or a store of consecutive elements.
  func access(_ type: RegisterType, isStore: Bool, isMasked: Bool) -> Work {
    var work = Work()
    if isStore { work.stores = registers(type) } else { work.loads = registers(type) }
    if isMasked, !hasMaskRegisters { work.vectors = registers(type) }
    return work
  }

  /// A gather or a scatter, lane by lane.
  func indexed(_ type: RegisterType, isStore: Bool, isMasked: Bool) -> Work {
    var work = Work()
    let lanes = Double(type.lanes)
    if isStore {
      work.stores = lanes * 1.4
    } else {
      work.loads = lanes * 1.4
    }
    work.vectors = isMasked ? lanes / 2 : lanes / 4
    return work
  }

  /// All lanes combined in pairs; the result waits for each pair in turn.
  func fold(_ function: ScalarFunction, _ type: RegisterType) -> Work {
    let steps = Double(max(1, Int.bitWidth - (type.lanes - 1).leadingZeroBitCount))
    var work = self.work(function, type, type)
    work.vectors = 2 * steps
    work.shuffles = steps
    work.flops = work.flops > 0 ? Double(type.lanes - 1) : 0
    work.multiplyAdds = 0
    work.waits = steps * 7
    return work
  }

  func shuffle(_ type: RegisterType) -> Work {
    var work = Work()
    work.vectors = registers(type)
    work.shuffles = work.vectors
    return work
  }

  /// How many divisions an index expression needs; those by a power of two are a part of one.
  func quotients(_ expression: IntegerExpression) -> Double {
    var quotients = 0.0
    expression.visitAtoms { atom in
      switch atom {
      case .floorDivide(_, let divisor), .modulo(_, let divisor):
        let isPower = divisor.fixed.map { $0 > 0 && $0 & ($0 - 1) == 0 } ?? false
        quotients += isPower ? 0.25 : divisor.isFixed ? 1 : 4
      case .minimum, .maximum: quotients += 0.5
      default: break
      }
    }
    return quotients
  }

  /// The arithmetic of an index expression, in one integer or in lanes.
  func index(_ expression: IntegerExpression, lanes: Int) -> Work {
    var work = Work()
    let quotients = quotients(expression)
    guard lanes > 1 else {
      work.scalars = 4 * quotients + 0.5 * Double(expression.terms.count)
      return work
    }
    let wide = registers(RegisterType(.i64, lanes: lanes))
    // What all lanes share is one integer, added to each.
    work.scalars = 0.5 * Double(expression.terms.count)
    work.vectors = wide * (1 + 8 * quotients)
    // Vectors are divided as f64.
    work.divisions = quotients >= 1 ? 2 * Double(lanes) * quotients.rounded(.down) : 0
    return work
  }

  /// Cycles from an operand to the result.
  func latency(_ operation: Operation, _ type: RegisterType) -> Double {
    switch operation {
    case .multiplyAdd, .byteProducts, .shortProducts, .bfloatProducts, .fragmentProduct, .timesPowerOfTwo: return 4
    case .fold: return 7 * Double(max(1, Int.bitWidth - (type.lanes - 1).leadingZeroBitCount))
    case .apply(let function, _):
      switch function {
      case .bitcast, .real, .imaginary, .complex: return 0
      case .divide, .remainder, .squareRoot, .reciprocalSquareRoot: return 14
      case .add, .subtract, .multiply, .minimum, .maximum: return type.element.isFloat || type.element.isComplex ? 4 : 1
      case .select, .and, .or, .xor, .not, .abs, .negate: return 1
      default: return 4
      }
    case .constant, .index, .foldItems, .words, .exchange: return 0
    case .load, .gather: return 6
    case .broadcast, .extract, .shuffle, .upperHalves, .lookup: return 3
    }
  }
}

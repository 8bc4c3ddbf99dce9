import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// How a comparator says which of two elements comes first.
enum SortOrder: CaseIterable {
  case less, greater
  /// Zeros equal, all NaN equal and last, as other frameworks write it.
  case canonical
  /// Not strict: equal elements change places.
  case lessOrEqual

  /// Whether floats that are NaN have a place.
  var hasPlaceForNaN: Bool { self == .canonical }
}

/// What moves along with the keys.
enum SortPayload: CaseIterable {
  case none, positions, longPositions, numbers, onlyPositions
}

/// Sorts of whole lines: networks of short lines side by side and behind each other, digits of long ones, merges.
@Suite struct SortTests {
  private static func scalar(_ value: Double, _ type: ElementType, _ g: inout Graph) throws -> ValueID {
    try g.append(.constant(.scalar(Scalar(value, type), type)))
  }

  private static func canonical(_ x: ValueID, _ type: ElementType, _ g: inout Graph) throws -> ValueID {
    let (zero, nan) = (try scalar(0, type, &g), try scalar(.nan, type, &g))
    let isZero = try g.append(.pointwise(.compare(.equal, .float)), [x, zero])
    let isNaN = try g.append(.pointwise(.compare(.notEqual, .float)), [x, x])
    let number = try g.append(.pointwise(.select), [isZero, zero, x])
    return try g.append(.pointwise(.select), [isNaN, nan, number])
  }

  static func comparator(_ elements: [ElementType], key: Int, _ order: SortOrder) throws -> Graph {
    var graph = Graph()
    let parameters = elements.flatMap { [$0, $0] }.map { graph.addParameter(.scalar($0)) }
    var (x, y) = (parameters[2 * key], parameters[2 * key + 1])
    let type = elements[key]
    var comparison: ComparisonType = type.kind == .signed ? .signed : .unsigned
    if type.isFloat {
      comparison = order == .canonical ? .totalOrder : .float
      if order == .canonical {
        x = try canonical(x, type, &graph)
        y = try canonical(y, type, &graph)
      }
    }
    let direction: ComparisonDirection =
      switch order {
      case .less, .canonical: .less
      case .greater: .greater
      case .lessOrEqual: .lessOrEqual
      }
    graph.results = [try graph.append(.pointwise(.compare(direction, comparison)), [x, y])]
    return graph
  }

  /// Elements whose bits are all that matters: floats of any kind where NaN has a place.
  private static func keys(_ x: ValueID, _ order: SortOrder, _ g: inout Graph) throws -> ValueID {
    let type = g.type(of: x)
    if type.elementType.isInteger, type.elementType.bitWidth >= 32 {
      // Digits in all places.
      let factor = try g.append(
        .constant(.scalar(.integer(0x0235_79BD), type.elementType)))
      let wide = try g.append(
        .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)), [factor])
      return try g.append(.pointwise(.multiply), [x, wide])
    }
    guard type.elementType.isFloat, order.hasPlaceForNaN else { return x }
    let special = try LineTests.withSpecials(x, &g)
    guard type.elementType == .f32 else { return special }
    // NaN of many kinds.
    let bits = try g.append(.pointwise(.bitcast(.i32)), [special])
    let position = try g.append(.iota(Iota(dimension: type.rank - 1, resultType: type.with(.i32))))
    let isNaN = try g.append(.pointwise(.compare(.notEqual, .float)), [special, special])
    let other = try g.append(.pointwise(.xor), [bits, position])
    let chosen = try g.append(.pointwise(.select), [isNaN, other, bits])
    return try g.append(.pointwise(.bitcast(.f32)), [chosen])
  }

  /// The bits of floats as integers, so that those are told apart which are equal.
  private static func bits(_ x: ValueID, _ g: inout Graph) throws -> ValueID {
    let integers: [ElementType: ElementType] = [.f16: .i16, .bf16: .i16, .f32: .i32, .f64: .i64]
    guard let type = integers[g.type(of: x).elementType] else { return x }
    return try g.append(.pointwise(.bitcast(type)), [x])
  }

  static func sort(
    _ element: ElementType, _ dimensions: [Extent], along dimension: Int, _ order: SortOrder, _ payload: SortPayload
  ) throws -> ScheduleCase {
    try ScheduleCase([TensorType(element, dimensions), TensorType(.f64, dimensions)]) { g, x in
      var operands = [try keys(x[0], order, &g)]
      switch payload {
      case .none: break
      case .positions, .onlyPositions:
        operands.append(
          try g.append(.iota(Iota(dimension: dimension, resultType: TensorType(.i32, dimensions)))))
      case .longPositions:
        operands.append(
          try g.append(.iota(Iota(dimension: dimension, resultType: TensorType(.i64, dimensions)))))
      case .numbers: operands.insert(x[1], at: 0)
      }
      let types = operands.map { g.type(of: $0).elementType }
      let comparator = try comparator(types, key: payload == .numbers ? 1 : 0, order)
      let node = try g.append(.sort(Sort(dimension: dimension, isStable: true, comparator: comparator)), operands)
      let sorted = operands.count == 1 ? [node] : g.results(of: node)
      return try (payload == .onlyPositions ? [sorted[1]] : sorted).map { try bits($0, &g) }
    }
  }

  private static let cpus = ["x86-64-v2", "x86-64-v3", "native"]

  /// Lengths in registers and not, whole blocks of the network and not.
  @Test(arguments: [2, 9, 32, 70], cpus) func linesBeside(_ extent: Int, cpu: String) throws {
    for order in [SortOrder.canonical, .lessOrEqual] {
      try Self.sort(.f32, [2, Extent(extent), 37], along: 1, order, .positions).check(nil, cpu: cpu)
    }
    try Self.sort(.f32, [2, Extent(extent), 37], along: 1, .canonical, .none).check(nil, cpu: cpu)
    try Self.sort(.f32, [Extent(extent), 3, 7], along: 0, .canonical, .numbers).check(nil, cpu: cpu)
  }

  @Test(arguments: [7, 32, 257], cpus) func linesBehindEachOther(_ extent: Int, cpu: String) throws {
    try Self.sort(.f32, [3, 7, Extent(extent)], along: 2, .canonical, .none).check(nil, cpu: cpu)
    try Self.sort(.f32, [3, 7, Extent(extent)], along: 2, .lessOrEqual, .longPositions).check(nil, cpu: cpu)
    try Self.sort(.f32, [19, Extent(extent), 1], along: 1, .canonical, .onlyPositions).check(nil, cpu: cpu)
  }

  private static let types: [ElementType] = [.f16, .bf16, .f64, .i8, .i32, .i64, .ui8, .ui32, .ui64, .i1]

  @Test(arguments: types, [SortPayload.none, .numbers]) func elementTypes(
    _ element: ElementType, _ payload: SortPayload
  ) throws {
    try Self.sort(element, [2, 21, 19], along: 1, .greater, payload).check(nil)
    try Self.sort(element, [20, 75], along: 1, .canonical, payload).check(nil)
    try Self.sort(element, [2, 301], along: 1, .greater, payload).check(nil)
  }

  /// Few lines: digits where there is a number, else merges.
  @Test(arguments: [0, 1, 40, 257, 3000]) func longLines(_ extent: Int) throws {
    for payload in [SortPayload.none, .numbers, .onlyPositions] {
      try Self.sort(.f32, [Extent(extent)], along: 0, .canonical, payload).check(nil)
    }
    try Self.sort(.f32, [Extent(extent)], along: 0, .lessOrEqual, .positions).check(nil)
    try Self.sort(.f64, [2, Extent(extent), 3], along: 1, .canonical, .positions).check(nil, cpu: "x86-64-v2")
    try Self.sort(.i16, [2, Extent(extent), 3], along: 1, .greater, .longPositions).check(nil, cpu: "x86-64-v3")
  }

  @Test func veryLongLines() throws {
    try Self.sort(.f32, [40, 1300], along: 1, .canonical, .none).check(nil)
    try Self.sort(.f32, [1100, 18], along: 0, .greater, .positions).check(nil)
    try Self.sort(.i8, [30_000], along: 0, .less, .numbers).check(nil)
  }

  @Test(arguments: [0, 1, 200, 1500], [0, 1, 21]) func symbolicLines(_ n: Int, _ m: Int) throws {
    let (rows, columns) = (Extent.symbol("m"), Extent.symbol("n"))
    let cases: [(SortOrder, SortPayload)] = [(.canonical, .none), (.canonical, .positions), (.lessOrEqual, .none)]
    for (order, payload) in cases {
      var behind = try Self.sort(.f32, [rows, columns], along: 1, order, payload)
      behind.symbols = [Symbol("n"): n, Symbol("m"): m]
      try behind.check(nil)
      if n > 300 { continue }
      var beside = try Self.sort(.f32, [2, columns, rows], along: 1, order, payload)
      beside.symbols = behind.symbols
      try beside.check(nil)
    }
  }

  @Test(arguments: [3, 30, 200]) func symbolicNumbersOfLines(_ n: Int) throws {
    for m in [0, 1, 15, 33] {
      var behind = try Self.sort(.f32, [.symbol("m"), Extent(n)], along: 1, .canonical, .positions)
      behind.symbols = [Symbol("m"): m]
      try behind.check(nil)
      var beside = try Self.sort(.i32, [Extent(n), .symbol("m")], along: 0, .greater, .none)
      beside.symbols = behind.symbols
      try beside.check(nil)
    }
  }

  /// By one operand, then by another.
  @Test(arguments: [5, 31, 40, 300]) func byTwoOperands(_ extent: Int) throws {
    for (dimensions, dimension) in [([Extent(extent), 18], 0), ([17, Extent(extent)], 1), ([1, Extent(extent)], 1)] {
      let types = [ElementType.i8, .f32].map { TensorType($0, dimensions) }
      try ScheduleCase(types) { g, x in
        var comparator = Graph()
        let p = [ElementType.i8, .i8, .f32, .f32].map { comparator.addParameter(.scalar($0)) }
        let isLess = try comparator.append(.pointwise(.compare(.less, .signed)), [p[0], p[1]])
        let isEqual = try comparator.append(.pointwise(.compare(.equal, .signed)), [p[0], p[1]])
        let isGreater = try comparator.append(.pointwise(.compare(.greater, .float)), [p[2], p[3]])
        let then = try comparator.append(.pointwise(.and), [isEqual, isGreater])
        comparator.results = [try comparator.append(.pointwise(.or), [isLess, then])]
        let sort = try g.append(.sort(Sort(dimension: dimension, isStable: true, comparator: comparator)), x)
        return g.results(of: sort)
      }.check(nil)
    }
  }

  /// All elements have the same digits, or are the same.
  /// What compares many operands is not written out for each pair of a network.
  @Test(arguments: [2, 4, 12]) func byManyOperands(_ count: Int) throws {
    let type = TensorType(.f32, [64, 32])
    let sort = try ScheduleCase(Array(repeating: type, count: count)) { g, x in
      var comparator = Graph()
      let pairs = (0..<count).map { _ in
        (comparator.addParameter(.scalar(.f32)), comparator.addParameter(.scalar(.f32)))
      }
      var precedes: ValueID?
      for (x, y) in pairs.reversed() {
        let (a, b) = (try Self.canonical(x, .f32, &comparator), try Self.canonical(y, .f32, &comparator))
        let isLess = try comparator.append(.pointwise(.compare(.less, .totalOrder)), [a, b])
        let isEqual = try comparator.append(.pointwise(.compare(.equal, .totalOrder)), [a, b])
        let rest = try precedes.map { try comparator.append(.pointwise(.and), [isEqual, $0]) }
        precedes = try rest.map { try comparator.append(.pointwise(.or), [isLess, $0]) } ?? isLess
      }
      comparator.results = [try #require(precedes)]
      return g.results(of: try g.append(.sort(Sort(dimension: 1, isStable: true, comparator: comparator)), x))
    }
    let compiler = try LLVMCompiler(cpu: "native")
    let program = try Program(Function(name: "main", graph: sort.graph), target: compiler.target)
    let lines = program.kernels.reduce(0) { $0 + $1.description.split(separator: "\n").count }
    #expect(lines < 20_000)
    try sort.check(nil)
  }

  @Test func equalElements() throws {
    let shapes: [([Extent], Int)] = [([600], 0), ([20, 70], 1), ([9, 40], 0)]
    for (dimensions, dimension) in shapes {
      try ScheduleCase([TensorType(.i64, dimensions)]) { g, x in
        let (zero, wide) = (try Self.scalar(0, .i64, &g), BroadcastInDim(dimensions: [], resultDimensions: dimensions))
        let same = try g.append(.pointwise(.multiply), [x[0], try g.append(.broadcastInDim(wide), [zero])])
        let position = try g.append(.iota(Iota(dimension: dimension, resultType: TensorType(.i32, dimensions))))
        let comparator = try Self.comparator([.i64, .i32], key: 0, .less)
        let sort = try g.append(
          .sort(Sort(dimension: dimension, isStable: true, comparator: comparator)), [same, position])
        return g.results(of: sort)
      }.check(nil)
    }
  }

  /// What a comparator compares is told from what it is written as.
  @Test func comparedNumbers() throws {
    let less = try #require(SortKey(try Self.comparator([.f32], key: 0, .less)))
    #expect(less.type == .i32 && !less.isExact && less.isNearlyExact)
    let canonical = try #require(SortKey(try Self.comparator([.f16, .i32], key: 0, .canonical)))
    #expect(canonical.operand == 0 && canonical.type == .i16 && !canonical.isExact && canonical.isNearlyExact)
    let greater = try #require(SortKey(try Self.comparator([.i32, .ui64], key: 1, .greater)))
    #expect(greater.operand == 1 && greater.type == .i64 && greater.isExact)
    #expect(SortKey(try Self.comparator([.f32], key: 0, .lessOrEqual)) == nil)
  }

  /// Each network puts all orders of zeros and ones in order, so it does all others.
  @Test(arguments: 0...12) func networks(_ count: Int) {
    for bits in 0..<(1 << count) {
      var values = (0..<count).map { bits >> $0 & 1 }
      for (lower, upper) in SortNetwork.pairs(count) where values[lower] > values[upper] { values.swapAt(lower, upper) }
      #expect(values == values.sorted())
    }
  }
}

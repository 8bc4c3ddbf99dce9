import IR
import Testing

@testable import Codegen

/// What is computed along lines: the first of sorted elements, positions of extremes, running folds.
@Suite struct LineTests {
  /// Some of the values of `x` replaced by NaN, -0, 0 and the infinities.
  static func withSpecials(_ x: ValueID, _ g: inout Graph) throws -> ValueID {
    let type = g.type(of: x)
    var value = x
    for (limit, special) in [(1.9, Double.nan), (1.7, .infinity), (1.5, -.infinity), (1.3, -0.0), (1.1, 0)] {
      let scalars = try [limit, special].map {
        try g.append(.constant(.scalar(Scalar($0, type.elementType), type.elementType)))
      }
      let wide = try scalars.map {
        try g.append(.broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)), [$0])
      }
      let isAbove = try g.append(.pointwise(.compare(.greater, .float)), [x, wide[0]])
      value = try g.append(.pointwise(.select), [isAbove, wide[1], value])
    }
    return value
  }

  static func iota(_ type: TensorType, _ element: ElementType, _ dimension: Int, _ g: inout Graph) throws
    -> ValueID
  {
    try g.append(.iota(Iota(dimension: dimension, resultType: type.with(element))))
  }

  // MARK: The first of sorted elements

  /// Compares the first of some values; where `numbersFirst`, floats that are none come last.
  private static func comparator(
    _ elements: [ElementType], _ function: ScalarFunction, numbersFirst: Bool
  ) throws -> Graph {
    var graph = Graph()
    let parameters = elements.flatMap { [$0, $0] }.map { graph.addParameter(.scalar($0)) }
    let (x, y) = (parameters[0], parameters[1])
    var precedes = try graph.append(.pointwise(function), [x, y])
    if numbersFirst, case .compare(_, .float) = function {
      let isNumber = try graph.append(.pointwise(.compare(.equal, .float)), [x, x])
      let isNaN = try graph.append(.pointwise(.compare(.notEqual, .float)), [y, y])
      let numberFirst = try graph.append(.pointwise(.and), [isNumber, isNaN])
      precedes = try graph.append(.pointwise(.or), [precedes, numberFirst])
    }
    graph.results = [precedes]
    return graph
  }

  private static func prefix(
    _ element: ElementType, _ dimensions: [Extent], along dimension: Int, count: Int, _ function: ScalarFunction,
    position: ElementType = .i32, hasSpecials: Bool = false
  ) throws -> ScheduleCase {
    let type = TensorType(element, dimensions)
    return try ScheduleCase([type]) { g, x in
      let keys = hasSpecials ? try withSpecials(x[0], &g) : x[0]
      let positions = try iota(type, position, dimension, &g)
      return try sorted(
        [keys, positions], along: dimension, count: count, function, numbersFirst: hasSpecials, &g)
    }
  }

  /// The first elements of sorted values, all if there are fewer.
  private static func sorted(
    _ values: [ValueID], along dimension: Int, count: Int, _ function: ScalarFunction, numbersFirst: Bool = false,
    _ g: inout Graph
  ) throws -> [ValueID] {
    let comparator = try comparator(values.map { g.type(of: $0).elementType }, function, numbersFirst: numbersFirst)
    let node = try g.append(.sort(Sort(dimension: dimension, isStable: true, comparator: comparator)), values)
    var limits = g.type(of: values[0]).dimensions
    limits[dimension] = limits[dimension].fixed.map { Extent(min($0, count)) } ?? Extent(count)
    let slice = Slice(starts: limits.map { _ in .zero }, limits: limits, strides: limits.map { _ in 1 })
    let sorted = values.count == 1 ? [node] : g.results(of: node)
    return try sorted.map { try g.append(.slice(slice), [$0]) }
  }

  /// Ties keep their order; lines that are whole vectors, that are not, and that are hardly longer than what is kept.
  @Test(arguments: [1, 5, 16, 17, 40]) func firstOfSorted(_ count: Int) throws {
    for extent in [4 * count, 4 * count + 3, 160, 333] {
      let dimensions: [Extent] = [3, Extent(extent)]
      for function in [ScalarFunction.compare(.greater, .signed), .compare(.lessOrEqual, .signed)] {
        try Self.prefix(.i32, dimensions, along: 1, count: count, function).check(nil)
      }
      try Self.prefix(.f32, dimensions, along: 1, count: count, .compare(.less, .float)).check(nil)
    }
  }

  @Test func firstOfSortedAlongOtherDimensions() throws {
    try Self.prefix(.f64, [70, 3], along: 0, count: 9, .compare(.greater, .float)).check(nil)
    try Self.prefix(.i8, [2, 90, 5], along: 1, count: 7, .compare(.less, .signed)).check(nil)
    try Self.prefix(.f32, [2, 0, 90], along: 2, count: 7, .compare(.less, .float)).check(nil)
    try Self.prefix(.f32, [1, 2, 90], along: 2, count: 1, .compare(.less, .float)).check(nil)
  }

  /// Total order: -0 before 0, NaN outside the infinities.
  @Test(arguments: [ElementType.f32, .f64, .f16]) func firstInTotalOrder(_ element: ElementType) throws {
    for direction in [ComparisonDirection.greater, .less] {
      try Self.prefix(
        element, [4, 150], along: 1, count: 33, .compare(direction, .totalOrder), hasSpecials: true
      ).check(nil)
    }
  }

  @Test(arguments: [20, 21, 64, 200]) func firstOfSymbolicLines(_ extent: Int) throws {
    var example = try Self.prefix(.f32, [3, .symbol("n")], along: 1, count: 20, .compare(.greater, .float))
    example.symbols = [Symbol("n"): extent]
    try example.check(nil)
  }

  static let vectorWidths = ["x86-64-v2", "x86-64-v3", "native"]

  /// Lines beside each other, in whole vectors and not; few and many elements kept, of long lines and short ones.
  @Test(arguments: [1, 2, 5, 33], vectorWidths) func firstOfLinesSideBySide(_ count: Int, cpu: String) throws {
    for (extent, inner) in [(count, 16), (count + 1, 9), (40, 17), (200, 35), (900, 64)] {
      let dimensions: [Extent] = [2, Extent(extent), Extent(inner)]
      for function in [ScalarFunction.compare(.greater, .signed), .compare(.lessOrEqual, .signed)] {
        try Self.prefix(.i32, dimensions, along: 1, count: count, function, position: .i64).check(nil, cpu: cpu)
      }
      try Self.prefix(.f32, dimensions, along: 1, count: count, .compare(.less, .float)).check(nil, cpu: cpu)
    }
    try Self.prefix(.f64, [70, 3, 5], along: 0, count: count, .compare(.greater, .float), position: .i64)
      .check(nil, cpu: cpu)
    try Self.prefix(.i8, [2, 90, 1, 33], along: 1, count: count, .compare(.less, .signed)).check(nil, cpu: cpu)
    try Self.prefix(.f32, [2, 90, 0], along: 1, count: count, .compare(.less, .float)).check(nil, cpu: cpu)
    try Self.prefix(.f32, [0, 90, 20], along: 1, count: count, .compare(.less, .float)).check(nil, cpu: cpu)
    try Self.prefix(.f32, [3, 0, 20], along: 1, count: count, .compare(.less, .float)).check(nil, cpu: cpu)
    try Self.prefix(.f32, [3, 1, 20], along: 1, count: 1, .compare(.less, .float)).check(nil, cpu: cpu)
  }

  /// Total order: -0 before 0, NaN outside the infinities; and an order in which zeros are equal, and NaN comes last.
  @Test(arguments: [ElementType.f32, .f64, .f16], vectorWidths) func firstOfSpecialsSideBySide(
    _ element: ElementType, cpu: String
  ) throws {
    for direction in [ComparisonDirection.greater, .less] {
      for order in [ComparisonType.totalOrder, .float] {
        let function = ScalarFunction.compare(direction, order)
        try Self.prefix(element, [4, 150, 21], along: 1, count: 11, function, hasSpecials: true).check(nil, cpu: cpu)
        try Self.prefix(element, [4, 7, 21], along: 1, count: 7, function, hasSpecials: true).check(nil, cpu: cpu)
      }
    }
  }

  @Test(arguments: [5, 6, 64, 300], [0, 1, 7, 16, 37]) func firstOfSymbolicLinesSideBySide(_ n: Int, _ m: Int) throws {
    var example = try Self.prefix(
      .f32, [3, .symbol("n"), .symbol("m")], along: 1, count: 5, .compare(.greater, .float), position: .i64)
    example.symbols = [Symbol("n"): n, Symbol("m"): m]
    try example.check(nil)
  }

  /// Short lines behind each other: whole squares and not.
  @Test(arguments: [1, 5, 17, 32], vectorWidths) func firstOfShortLines(_ count: Int, cpu: String) throws {
    for (lines, extent) in [(16, count), (9, count + 1), (17, 40), (33, 64), (8, 1000)] {
      let dimensions: [Extent] = [2, Extent(lines), Extent(extent)]
      try Self.prefix(.i32, dimensions, along: 2, count: count, .compare(.lessOrEqual, .signed)).check(nil, cpu: cpu)
      try Self.prefix(.f32, dimensions, along: 2, count: count, .compare(.greater, .float), position: .i64)
        .check(nil, cpu: cpu)
    }
    try Self.prefix(.f64, [19, 50, 1], along: 1, count: count, .compare(.less, .totalOrder), hasSpecials: true)
      .check(nil, cpu: cpu)
    try Self.prefix(.f16, [20, 51], along: 1, count: count, .compare(.less, .float), hasSpecials: true)
      .check(nil, cpu: cpu)
    try Self.prefix(.i8, [0, 50], along: 1, count: count, .compare(.less, .signed)).check(nil, cpu: cpu)
  }

  @Test(arguments: [0, 1, 7, 16, 50]) func firstOfShortSymbolicLines(_ lines: Int) throws {
    var example = try Self.prefix(.f32, [3, .symbol("n"), 45], along: 2, count: 6, .compare(.less, .float))
    example.symbols = [Symbol("n"): lines]
    try example.check(nil)
  }

  /// What moves beside the keys is transposed too, where it is no position.
  @Test(arguments: [0, 1]) func whatMovesWithShortLines(_ dimension: Int) throws {
    try ScheduleCase([TensorType(.i32, fixed: [40, 40]), TensorType(.f64, fixed: [40, 40]), f32(40, 40)]) { g, x in
      let other = try Self.iota(f32(40, 40), .i64, 1 - dimension, &g)
      return try Self.sorted(x + [other], along: dimension, count: 4, .compare(.less, .signed), &g)
    }.check(nil)
  }

  /// Many elements of long lines, which are collected and merged: whole vectors and not, ties, lines in the opposite order.
  @Test(arguments: [128, 200, 300], vectorWidths) func manyOfSorted(_ count: Int, cpu: String) throws {
    for (extent, order) in [(4 * count, ComparisonDirection.greater), (2003, .lessOrEqual)] {
      let dimensions: [Extent] = [2, Extent(extent)]
      try Self.prefix(.i32, dimensions, along: 1, count: count, .compare(order, .signed), position: .i64)
        .check(nil, cpu: cpu)
      try Self.prefix(.f32, dimensions, along: 1, count: count, .compare(order, .float)).check(nil, cpu: cpu)
    }
    for order in [ComparisonDirection.greater, .less] {
      try ScheduleCase([]) { g, _ in
        let keys = try Self.iota(f32(1, 2001), .f32, 1, &g)
        return try Self.sorted([keys], along: 1, count: count, .compare(order, .float), &g)
      }.check(nil, cpu: cpu)
    }
  }

  @Test(arguments: [ElementType.f64, .f16]) func manyOfSpecials(_ element: ElementType) throws {
    for order in [ComparisonType.totalOrder, .float] {
      try Self.prefix(element, [3, 600], along: 1, count: 130, .compare(.less, order), hasSpecials: true).check(nil)
      try Self.prefix(element, [700, 3], along: 0, count: 140, .compare(.less, order), hasSpecials: true).check(nil)
    }
  }

  @Test(arguments: [130, 131, 160, 1000]) func manyOfSymbolicLines(_ extent: Int) throws {
    var example = try Self.prefix(
      .f32, [2, .symbol("n")], along: 1, count: 130, .compare(.greater, .float), position: .i64)
    example.symbols = [Symbol("n"): extent]
    try example.check(nil)
  }

  // MARK: Positions of extremes

  /// The first greatest (or least) element and its position, as JAX and the ONNX importer write it.
  static func argument(
    _ element: ElementType, _ position: ElementType, _ direction: ComparisonDirection, inOneChoice: Bool
  ) throws -> Graph {
    let type: ComparisonType = element.isFloat ? .float : element.kind == .signed ? .signed : .unsigned
    var body = Graph()
    let p = [element, position, element, position].map { body.addParameter(.scalar($0)) }
    func add(_ function: ScalarFunction, _ operands: ValueID...) throws -> ValueID {
      try body.append(.pointwise(function), operands)
    }
    var wins = try add(.compare(direction, type), p[0], p[2])
    if element.isFloat { wins = try add(.or, wins, add(.compare(.notEqual, .float), p[0], p[0])) }
    let isTie = try add(.compare(.equal, type), p[0], p[2])
    let isFirst = try add(.compare(.less, .signed), p[1], p[3])
    let index = try add(.or, wins, add(.and, isTie, isFirst))
    body.results = [
      try add(.select, inOneChoice ? index : wins, p[0], p[2]), try add(.select, index, p[1], p[3]),
    ]
    return body
  }

  private static func extreme(
    _ element: ElementType, _ dimensions: [Extent], over dimension: Int, _ direction: ComparisonDirection,
    position: ElementType = .i64, inOneChoice: Bool = true
  ) throws -> ScheduleCase {
    let type = TensorType(element, dimensions)
    return try ScheduleCase([type]) { g, x in
      let values = element.isFloat ? try withSpecials(x[0], &g) : x[0]
      let worst = direction == .greater ? element.lowest : element.highest
      let positions = try iota(type, position, dimension, &g)
      let first = try g.append(.constant(.scalar(worst, element)))
      let none = try g.append(.constant(.scalar(.integer(0), position)))
      let body = try argument(element, position, direction, inOneChoice: inOneChoice)
      let fold = try g.append(
        .reduce(Reduce(dimensions: [dimension], body: body)), [values, positions, first, none])
      return g.results(of: fold)
    }
  }

  @Test(arguments: [1, 7, 16, 33, 56, 200]) func positionsOfExtremes(_ extent: Int) throws {
    for direction in [ComparisonDirection.greater, .less] {
      for element in [ElementType.f32, .i32, .f16, .ui8, .f64] {
        try Self.extreme(element, [5, 3, Extent(extent)], over: 2, direction).check(.reduction)
      }
      try Self.extreme(.f32, [5, Extent(extent)], over: 1, direction, position: .i32, inOneChoice: false)
        .check(.reduction)
    }
  }

  @Test func positionsOfExtremesAlongOtherDimensions() throws {
    try Self.extreme(.f32, [3, 40, 5], over: 1, .greater).check(.reduction)
    try Self.extreme(.f32, [3, 0], over: 1, .greater).check(.reduction)
    try Self.extreme(.f32, [0, 3], over: 1, .greater).check(.reduction)
  }

  /// Lines side by side, a lane each: several vectors, one, and a part of one.
  @Test(arguments: [1, 15, 16, 37, 200]) func positionsInLinesSideBySide(_ count: Int) throws {
    for direction in [ComparisonDirection.greater, .less] {
      for element in [ElementType.f32, .i32, .bf16, .ui8, .f64] {
        try Self.extreme(element, [3, 21, Extent(count)], over: 1, direction).check(.reduction)
      }
      for cpu in ["x86-64-v2", "x86-64-v3"] {
        try Self.extreme(.f32, [9, Extent(count)], over: 0, direction, position: .i32, inOneChoice: false)
          .check(.reduction, cpu: cpu)
      }
      for extent in [0, 1, 12] {
        var example = try Self.extreme(.f32, [2, .symbol("n"), .symbol("m")], over: 1, direction)
        example.symbols = [Symbol("n"): extent, Symbol("m"): count]
        try example.check(.reduction)
      }
    }
  }

  @Test(arguments: [0, 1, 5, 64, 77]) func positionsInSymbolicLines(_ extent: Int) throws {
    var example = try Self.extreme(.f32, [3, .symbol("n")], over: 1, .less)
    example.symbols = [Symbol("n"): extent]
    try example.check(.reduction)
  }

  /// What keeps the last of equal elements, or passes over NaN, is another fold.
  @Test func otherFoldsOfPairs() throws {
    let known = try Self.argument(.f32, .i64, .greater, inOneChoice: true)
    #expect(ArgumentFold(known)?.direction == .greater)
    var last = Graph()
    let p = [ElementType.f32, .i64, .f32, .i64].map { last.addParameter(.scalar($0)) }
    let wins = try last.append(.pointwise(.compare(.greater, .float)), [p[0], p[2]])
    last.results = [
      try last.append(.pointwise(.select), [wins, p[0], p[2]]),
      try last.append(.pointwise(.select), [wins, p[1], p[3]]),
    ]
    #expect(ArgumentFold(last) == nil)
  }

  // MARK: Running folds

  private static func scan(
    _ element: ElementType, _ dimensions: [Extent], along dimension: Int, backward: Bool = false,
    _ function: ScalarFunction = .add, hasSpecials: Bool = false,
    then: (inout Graph, ValueID, ValueID) throws -> [ValueID] = { _, _, y in [y] }
  ) throws -> ScheduleCase {
    let type = TensorType(element, dimensions)
    return try ScheduleCase([type]) { g, x in
      let input = hasSpecials ? try withSpecials(x[0], &g) : x[0]
      let start = try g.append(.constant(.scalar(Scalar(function == .multiply ? 1 : 0, element), element)))
      let length = dimensions[dimension].fixed ?? 1
      var window = dimensions.map { _ in WindowDimension(extent: 1) }
      window[dimension] = WindowDimension(
        extent: Extent(length), paddingLow: backward ? 0 : length - 1, paddingHigh: backward ? length - 1 : 0)
      let fold = ReduceWindow(window: window, body: try sumBody(function, element))
      return try then(&g, input, try g.append(.reduceWindow(fold), [input, start]))
    }
  }

  @Test(arguments: [false, true]) func runningFolds(_ backward: Bool) throws {
    for extent in [1, 5, 16, 35, 64] {
      for function in [ScalarFunction.add, .multiply, .maximum] {
        try Self.scan(.f32, [3, Extent(extent)], along: 1, backward: backward, function).check(.window)
        try Self.scan(.f32, [2, Extent(extent), 3, 7], along: 1, backward: backward, function).check(.window)
      }
      try Self.scan(.i64, [Extent(extent), 21], along: 0, backward: backward).check(.window)
      try Self.scan(.bf16, [4, Extent(extent)], along: 1, backward: backward).check(.window, tolerance: 0.02)
      try Self.scan(.complex64, [2, Extent(extent), 3], along: 1, backward: backward).check(.window)
    }
    try Self.scan(.f32, [2, 3, 1100], along: 1, backward: backward).check(.window)
    try Self.scan(.f32, [0, 4, 5], along: 1, backward: backward).check(.window)
    try Self.scan(.f32, [6, 40], along: 1, backward: backward, .maximum, hasSpecials: true).check(.window)
  }

  @Test func runningFoldsOfSymbolicLines() throws {
    for (n, m) in [(3, 70), (1, 5), (0, 8), (2, 16)] {
      var example = try Self.scan(.f32, [.symbol("n"), 9, .symbol("m")], along: 1)
      example.symbols = [Symbol("n"): n, Symbol("m"): m]
      try example.check(.window)
    }
  }

  /// Lines of open extent, padded in front of the window.
  @Test(arguments: [0, 1, 5, 16, 70]) func runningFoldsOfOpenExtent(_ n: Int) throws {
    let shapes: [(dimensions: [Extent], along: Int)] = [
      ([3, .symbol("n")], 1), ([2, .symbol("n"), 7], 1), ([.symbol("n"), 40], 0),
    ]
    for backward in [false, true] {
      for function in [ScalarFunction.add, .multiply, .maximum] {
        for (dimensions, along) in shapes {
          let element: ElementType = function == .multiply ? .f64 : .f32
          var example = try ScheduleCase([TensorType(element, dimensions)]) { g, x in
            let neutral = try #require(function.neutral(element))
            let start = try g.append(.constant(.scalar(neutral, element)))
            let none = dimensions.map { _ in Extent.zero }
            var (low, high, window) = (none, none, dimensions.map { _ in WindowDimension(extent: 1) })
            if backward { high[along] = .symbol("n") } else { low[along] = .symbol("n") }
            window[along] = WindowDimension(extent: .symbol("n") + 1)
            let padded = try g.append(
              .pad(Pad(low: low, high: high, interior: dimensions.map { _ in 0 })), [x[0], start])
            let fold = ReduceWindow(window: window, body: try sumBody(function, element))
            let y = try g.append(.reduceWindow(fold), [padded, start])
            return [y, try g.append(.pointwise(.negate), [y])]
          }
          example.symbols = [Symbol("n"): n]
          try example.check(.window)
        }
      }
    }
  }

  /// What follows at the same index is computed at once; what is moved, from the stored fold.
  @Test func whatFollowsRunningFolds() throws {
    try Self.scan(.f32, [3, 20, 6], along: 1) { g, x, y in
      [try g.append(.pointwise(.subtract), [y, x]), y]
    }.check(.window)
    try Self.scan(.f32, [3, 20], along: 1) { g, x, y in
      [try g.append(.transpose(Transpose(permutation: [1, 0])), [y])]
    }.check(.window)
  }

  /// Two values at once, by a body that is no one function.
  @Test func runningFoldsOfPairs() throws {
    let type = f32(3, 18, 5)
    try ScheduleCase([type]) { g, x in
      let positions = try Self.iota(type, .i32, 1, &g)
      let first = try g.append(.constant(.scalar(ElementType.f32.lowest, .f32)))
      let none = try g.append(.constant(.scalar(.integer(0), .i32)))
      let window = [1, 18, 1].map { WindowDimension(extent: Extent($0), paddingLow: $0 - 1) }
      let body = try Self.argument(.f32, .i32, .greater, inOneChoice: true)
      let fold = try g.append(.reduceWindow(ReduceWindow(window: window, body: body)), [x[0], positions, first, none])
      return g.results(of: fold)
    }.check(.window)
  }
}

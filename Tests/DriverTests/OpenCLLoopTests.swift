import Foundation
import IR
import Testing

@testable import Driver

/// Loops and branches on OpenCL devices, launched before the host knows how they go.
@Suite(.enabled(if: OpenCLLibraryTests.hasDevice)) struct OpenCLLoopTests {
  /// The library's results are what the graph means, for each list of inputs.
  private func check(_ text: String, _ calls: [[Literal]]) throws {
    let fixture = try Fixture()
    try OpenCLLibraryTests().compile(fixture, text, to: "liblocal.so", .opencl)
    let module = try Module(parsing: text)
    let function = try #require(module.entry)
    for inputs in calls {
      let results = try OpenCLLibraryTests().run(fixture.path("liblocal.so"), inputs)
      let expected = try function.evaluate(inputs, in: module)
      #expect(results.map(\.dimensions) == expected.map(\.dimensions))
      #expect(results.map { Array($0.scalars) } == expected.map { Array($0.scalars) }, "\(inputs.first?[0] as Any)")
    }
  }

  private static func number(_ value: Int, _ type: ElementType = .i32) -> Literal {
    Literal(type, [], splat: .integer(Int64(value)))
  }

  private static func integers(_ dimensions: [Int], from first: Int = -2) -> Literal {
    let count = dimensions.reduce(1, *)
    return Literal(.i32, dimensions, (0..<count).map { .integer(Int64(first + 3 * $0)) })
  }

  /// Fibonacci's rule: the second value becomes the first, which takes a copy in each round.
  private static func swapping(_ rows: String, limit: String) -> String {
    let type = "tensor<\(rows)x3xi32>"
    return """
      func.func @main(%n: tensor<i32>, %x: \(type), %y: \(type)) -> (tensor<i32>, \(type), \(type)) {
        %zero = stablehlo.constant dense<0> : tensor<i32>
        %limit = \(limit) : tensor<i32>
        %0:3 = stablehlo.while(%i = %zero, %a = %x, %b = %y) : tensor<i32>, \(type), \(type)
        cond {
          %p = stablehlo.compare LT, %i, %limit : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %p : tensor<i1>
        } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %next = stablehlo.add %i, %one : tensor<i32>
          %sum = stablehlo.add %a, %b : \(type)
          stablehlo.return %next, %b, %sum : tensor<i32>, \(type), \(type)
        }
        return %0#0, %0#1, %0#2 : tensor<i32>, \(type), \(type)
      }
      """
  }

  @Test func loopsRunAsOftenAsTheDeviceSays() throws {
    for rows in ["2", "0", "?"] {
      let extents = rows == "?" ? [0, 1, 5] : [rows == "0" ? 0 : 2]
      let calls = extents.flatMap { extent in
        [-3, 0, 1, 5, 7, 8, 9, 1000].map { count in
          [Self.number(count), Self.integers([extent, 3]), Self.integers([extent, 3], from: 7)]
        }
      }
      try check(Self.swapping(rows, limit: "stablehlo.add %n, %zero"), calls)
    }
  }

  /// The window of a running sum is as long as the line, and a line of open extent is padded first.
  @Test(arguments: [false, true]) func runningSumsOfOpenLines(_ isReversed: Bool) throws {
    let n = Extent.symbol("n")
    var graph = Graph()
    let x = graph.addParameter(TensorType(.i32, [2, n]))
    let zero = try graph.append(.constant(.scalar(.integer(0), .i32)))
    let (none, line) = ([Extent.zero, .zero], [Extent.zero, n])
    let pad = Pad(low: isReversed ? none : line, high: isReversed ? line : none, interior: [0, 0])
    let padded = try graph.append(.pad(pad), [x, zero])
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(.i32)), body.addParameter(.scalar(.i32)))
    body.results = [try body.append(.pointwise(.add), [a, b])]
    let window = [WindowDimension(extent: 1), WindowDimension(extent: n + 1)]
    graph.results = [try graph.append(.reduceWindow(ReduceWindow(window: window, body: body)), [padded, zero])]
    let function = Function(name: "main", graph: graph)
    var options = Options()
    options.target = .opencl
    let compiled = try CompiledFunction(function, in: Module(), options)
    for extent in [0, 1, 5, 40, 2000] {
      let x = Self.integers([2, extent])
      let result = try compiled([x])[0].scalars.map(\.integerValue)
      var expected = x.scalars.map(\.integerValue)
      for row in 0..<2 {
        let places = (0..<extent).map { row * extent + (isReversed ? extent - 1 - $0 : $0) }
        for (place, last) in zip(places.dropFirst(), places) { expected[place] += expected[last] }
      }
      #expect(Array(result) == expected, "\(extent) elements")
    }
  }

  /// Sums the rows of a matrix in turn, of any number, or every third row.
  @Test(arguments: [("i32", 1), ("i64", 1), ("i64", 3)]) func loopsRunOverExtents(type: String, step: Int) throws {
    let text = """
      func.func @main(%x: tensor<?x3xi32>) -> (tensor<\(type)>, tensor<3xi32>) {
        %first = stablehlo.constant dense<0> : tensor<\(type)>
        %none = stablehlo.constant dense<0> : tensor<3xi32>
        %rows = stablehlo.get_dimension_size %x, dim = 0 : (tensor<?x3xi32>) -> tensor<i32>
        %n = stablehlo.convert %rows : (tensor<i32>) -> tensor<\(type)>
        %0:2 = stablehlo.while(%i = %first, %v = %none) : tensor<\(type)>, tensor<3xi32>
        cond {
          %p = stablehlo.compare LT, %i, %n : (tensor<\(type)>, tensor<\(type)>) -> tensor<i1>
          stablehlo.return %p : tensor<i1>
        } do {
          %step = stablehlo.constant dense<\(step)> : tensor<\(type)>
          %zero = stablehlo.constant dense<0> : tensor<\(type)>
          %next = stablehlo.add %i, %step : tensor<\(type)>
          %row = stablehlo.dynamic_slice %x, %i, %zero, sizes = [1, 3]
            : (tensor<?x3xi32>, tensor<\(type)>, tensor<\(type)>) -> tensor<1x3xi32>
          %r = stablehlo.reshape %row : (tensor<1x3xi32>) -> tensor<3xi32>
          %s = stablehlo.add %v, %r : tensor<3xi32>
          stablehlo.return %next, %s : tensor<\(type)>, tensor<3xi32>
        }
        return %0#0, %0#1 : tensor<\(type)>, tensor<3xi32>
      }
      """
    try check(text, [0, 1, 5, 41].map { [Self.integers([$0, 3])] })
  }

  @Test(arguments: [0, 1, 5, 1000]) func loopsRunAsOftenAsTheCompilerCounted(count: Int) throws {
    let (x, y) = (Self.integers([2, 3]), Self.integers([2, 3], from: 7))
    try check(Self.swapping("2", limit: "stablehlo.constant dense<\(count)>"), [[Self.number(9), x, y]])
  }

  /// Ends when a sum passes a limit; a round multiplies, sums rows in groups of items, and permutes.
  @Test func loopsEndWhenTheirValuesSay() throws {
    let text = """
      func.func @main(%limit: tensor<i32>, %x: tensor<4x300xi32>, %p: tensor<32x32xf32>, %q: tensor<32x32xf32>)
          -> (tensor<4x300xi32>, tensor<32x32xf32>) {
        %0:2 = stablehlo.while(%v = %x, %m = %q) : tensor<4x300xi32>, tensor<32x32xf32>
        cond {
          %zero = stablehlo.constant dense<0> : tensor<i32>
          %s = stablehlo.reduce(%v init: %zero) applies stablehlo.add across dimensions = [0, 1]
            : (tensor<4x300xi32>, tensor<i32>) -> tensor<i32>
          %more = stablehlo.compare LT, %s, %limit : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %more : tensor<i1>
        } do {
          %zero = stablehlo.constant dense<0> : tensor<i32>
          %r = stablehlo.reduce(%v init: %zero) applies stablehlo.maximum across dimensions = [1]
            : (tensor<4x300xi32>, tensor<i32>) -> tensor<4xi32>
          %b = stablehlo.broadcast_in_dim %r, dims = [0] : (tensor<4xi32>) -> tensor<4x300xi32>
          %next = stablehlo.add %v, %b : tensor<4x300xi32>
          %d = stablehlo.dot_general %p, %m, contracting_dims = [1] x [0]
            : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
          stablehlo.return %next, %d : tensor<4x300xi32>, tensor<32x32xf32>
        }
        return %0#0, %0#1 : tensor<4x300xi32>, tensor<32x32xf32>
      }
      """
    let x = Literal(.i32, [4, 300], (0..<1200).map { .integer($0 % 3) })
    let rotation = Literal(.f32, [32, 32], (0..<1024).map { .real(($0 / 32 + 1) % 32 == $0 % 32 ? 1 : 0) })
    let q = Literal(.f32, [32, 32], (0..<1024).map { .real(Double($0)) })
    try check(text, [-5, 1300, 60_000, 2_000_000].map { [Self.number($0), x, rotation, q] })
  }

  /// An inner loop that the compiler counts or not, in one that it does not.
  @Test(arguments: ["stablehlo.constant dense<3>", "stablehlo.constant dense<40>", "stablehlo.add %i, %i"])
  func loopsLieInLoops(limit: String) throws {
    let text = """
      func.func @main(%n: tensor<i32>, %x: tensor<5xi32>) -> (tensor<i32>, tensor<5xi32>) {
        %zero = stablehlo.constant dense<0> : tensor<i32>
        %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<5xi32>
        cond {
          %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %p : tensor<i1>
        } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %none = stablehlo.constant dense<0> : tensor<i32>
          %limit = \(limit) : tensor<i32>
          %1:2 = stablehlo.while(%j = %none, %w = %v) : tensor<i32>, tensor<5xi32>
          cond {
            %p = stablehlo.compare LT, %j, %limit : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %p : tensor<i1>
          } do {
            %next = stablehlo.add %j, %one : tensor<i32>
            %r = stablehlo.reverse %w, dims = [0] : tensor<5xi32>
            %all = stablehlo.broadcast_in_dim %j, dims = [] : (tensor<i32>) -> tensor<5xi32>
            %sum = stablehlo.add %r, %all : tensor<5xi32>
            stablehlo.return %next, %sum : tensor<i32>, tensor<5xi32>
          }
          %next = stablehlo.add %i, %one : tensor<i32>
          stablehlo.return %next, %1#1 : tensor<i32>, tensor<5xi32>
        }
        return %0#0, %0#1 : tensor<i32>, tensor<5xi32>
      }
      """
    try check(text, [0, 1, 5, 19].map { [Self.number($0), Self.integers([5])] })
  }

  private static let cases = """
    "stablehlo.case"(%m) ({
      %r = stablehlo.reverse %v, dims = [0] : tensor<5xi32>
      stablehlo.return %r : tensor<5xi32>
    }, {
      %r = stablehlo.add %v, %v : tensor<5xi32>
      stablehlo.return %r : tensor<5xi32>
    }, {
      stablehlo.return %v : tensor<5xi32>
    }) : (tensor<i32>) -> tensor<5xi32>
    """

  @Test func branchesLieInLoops() throws {
    let text = """
      func.func @main(%n: tensor<i32>, %x: tensor<5xi32>) -> tensor<5xi32> {
        %zero = stablehlo.constant dense<0> : tensor<i32>
        %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<5xi32>
        cond {
          %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %p : tensor<i1>
        } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %five = stablehlo.constant dense<5> : tensor<i32>
          %next = stablehlo.add %i, %one : tensor<i32>
          %rest = stablehlo.remainder %i, %five : tensor<i32>
          %m = stablehlo.subtract %rest, %one : tensor<i32>
          %d = \(Self.cases)
          stablehlo.return %next, %d : tensor<i32>, tensor<5xi32>
        }
        return %0#1 : tensor<5xi32>
      }
      """
    try check(text, [0, 1, 5, 100].map { [Self.number($0), Self.integers([5])] })
  }

  @Test func loopsLieInBranches() throws {
    let text = """
      func.func @main(%p: tensor<i1>, %n: tensor<i32>, %x: tensor<5xi32>) -> tensor<5xi32> {
        %0 = "stablehlo.if"(%p) ({
          %zero = stablehlo.constant dense<0> : tensor<i32>
          %1:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<5xi32>
          cond {
            %q = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %q : tensor<i1>
          } do {
            %one = stablehlo.constant dense<1> : tensor<i32>
            %next = stablehlo.add %i, %one : tensor<i32>
            %d = stablehlo.add %v, %v : tensor<5xi32>
            stablehlo.return %next, %d : tensor<i32>, tensor<5xi32>
          }
          stablehlo.return %1#1 : tensor<5xi32>
        }, {
          %r = stablehlo.reverse %x, dims = [0] : tensor<5xi32>
          stablehlo.return %r : tensor<5xi32>
        }) : (tensor<i1>) -> tensor<5xi32>
        return %0 : tensor<5xi32>
      }
      """
    let predicates = [false, true].map { Literal(.i1, [], splat: .integer($0 ? 1 : 0)) }
    try check(text, predicates.flatMap { p in [0, 1, 11].map { [p, Self.number($0), Self.integers([5])] } })
  }

  @Test func anIndexOutOfRangeTakesTheLastBranch() throws {
    let text = """
      func.func @main(%m: tensor<i32>, %v: tensor<5xi32>) -> tensor<5xi32> {
        %0 = \(Self.cases)
        return %0 : tensor<5xi32>
      }
      """
    let indices = [0, 1, 2, 3, -1, Int(Int32.max), Int(Int32.min)]
    try check(text, indices.map { [Self.number($0), Self.integers([5])] })
  }

  /// Elements of every width are copied under a guard, bit by bit.
  @Test(arguments: ["i1", "i8", "f16", "f32", "i64", "complex<f32>"]) func branchesCopy(type: String) throws {
    let text = """
      func.func @main(%p: tensor<i1>, %x: tensor<3x?x\(type)>, %y: tensor<3x?x\(type)>) -> tensor<3x?x\(type)> {
        %0 = "stablehlo.if"(%p) ({
          stablehlo.return %x : tensor<3x?x\(type)>
        }, {
          stablehlo.return %y : tensor<3x?x\(type)>
        }) : (tensor<i1>) -> tensor<3x?x\(type)>
        return %0 : tensor<3x?x\(type)>
      }
      """
    let element = try #require(ElementType(rawValue: type))
    for extent in [0, 1, 7] {
      let predicates = [false, true].map { Literal(.i1, [], splat: .integer($0 ? 1 : 0)) }
      let x = Literal(element, [3, extent], splat: Scalar(1, element))
      let y = Literal(element, [3, extent], splat: Scalar(0, element))
      try check(text, predicates.map { [$0, x, y] })
    }
  }
}

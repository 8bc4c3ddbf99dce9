import IR
import Passes
import Testing

@testable import Driver

/// Sizes that data decides and that others do without: what is kept of them, what comes first, and how much room there is.
@Suite struct DataExtentOrderTests {
  private static func number(_ value: Int) -> Literal { Literal(.i32, [], splat: .integer(Int64(value))) }
  private static func floats(_ count: Int) -> Literal {
    Literal(.f32, [count], (0..<count).map { .real(Double($0)) })
  }

  /// Nothing reads the elements.
  private static let extentOnly = """
    func.func @main(%x: tensor<8xf32>, %n: tensor<i32>) -> tensor<?xf32> {
      %y = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
      %c = stablehlo.get_dimension_size %y, dim = 0 : (tensor<?xf32>) -> tensor<i32>
      %d = stablehlo.reshape %c : (tensor<i32>) -> tensor<1xi32>
      %i = stablehlo.dynamic_iota %d, dim = 0 : (tensor<1xi32>) -> tensor<?xf32>
      return %i : tensor<?xf32>
    }
    """

  /// A scalar decides a size, and is multiplied by it.
  private static let circle = """
    func.func @main(%x: tensor<8xf32>, %m: tensor<i32>) -> (tensor<?xi32>, tensor<i32>) {
      %one = stablehlo.constant dense<1> : tensor<i32>
      %c = stablehlo.add %m, %one : tensor<i32>
      %y = stablehlo.set_dimension_size %x, %c, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
      %k = stablehlo.get_dimension_size %y, dim = 0 : (tensor<?xf32>) -> tensor<i32>
      %z = stablehlo.multiply %c, %k : tensor<i32>
      %i = stablehlo.convert %y : (tensor<?xf32>) -> tensor<?xi32>
      return %i, %z : tensor<?xi32>, tensor<i32>
    }
    """

  /// The same of a large tensor.
  private static let wideCircle = """
    func.func @main(%x: tensor<800xi32>, %w: tensor<8xf32>) -> (tensor<?xf32>, tensor<800xi32>) {
      %zero = stablehlo.constant dense<0> : tensor<i32>
      %eight = stablehlo.constant dense<8> : tensor<i32>
      %a = stablehlo.abs %x : tensor<800xi32>
      %s = stablehlo.reduce(%a init: %zero) applies stablehlo.maximum across dimensions = [0] : (tensor<800xi32>, tensor<i32>) -> tensor<i32>
      %c = stablehlo.minimum %s, %eight : tensor<i32>
      %y = stablehlo.set_dimension_size %w, %c, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
      %k = stablehlo.get_dimension_size %y, dim = 0 : (tensor<?xf32>) -> tensor<i32>
      %kk = stablehlo.broadcast_in_dim %k, dims = [] : (tensor<i32>) -> tensor<800xi32>
      %z = stablehlo.add %a, %kk : tensor<800xi32>
      %n = stablehlo.negate %y : tensor<?xf32>
      return %n, %z : tensor<?xf32>, tensor<800xi32>
    }
    """

  /// Of two sizes of a symbol the second needs the first.
  private static let twice = """
    func.func @main(%x: tensor<8xf32>, %n: tensor<i32>) -> (tensor<?xf32>, tensor<?xf32>) {
      %a = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
      %z = stablehlo.constant dense<0.5> : tensor<f32>
      %c = stablehlo.get_dimension_size %a, dim = 0 : (tensor<?xf32>) -> tensor<i32>
      %k = stablehlo.constant dense<8> : tensor<i32>
      %h = stablehlo.subtract %k, %c : tensor<i32>
      %hh = stablehlo.reshape %h : (tensor<i32>) -> tensor<1xi32>
      %l = stablehlo.constant dense<0> : tensor<1xi32>
      %i = stablehlo.reshape %c : (tensor<i32>) -> tensor<1xi32>
      %io = stablehlo.dynamic_iota %i, dim = 0 : (tensor<1xi32>) -> tensor<?xf32>
      %p = stablehlo.dynamic_pad %io, %z, %l, %hh, %l : (tensor<?xf32>, tensor<f32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<8xf32>
      %b = stablehlo.set_dimension_size %p, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
      %s = stablehlo.add %b, %io : tensor<?xf32>
      %na = stablehlo.negate %a : tensor<?xf32>
      return %s, %na : tensor<?xf32>, tensor<?xf32>
    }
    """

  /// The first elements of a constant.
  private static let constant = """
    func.func @main(%x: tensor<5xf32>, %n: tensor<i32>) -> tensor<5xf32> {
      %two = stablehlo.constant dense<[1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0]> : tensor<8xf32>
      %y = stablehlo.set_dimension_size %two, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<5xf32>
      %s = stablehlo.add %y, %x : tensor<5xf32>
      return %s : tensor<5xf32>
    }
    """

  /// A size that must be 5.
  private static let fixed = """
    func.func @main(%x: tensor<8xf32>, %n: tensor<i32>) -> tensor<5xf32> {
      %two = stablehlo.add %x, %x : tensor<8xf32>
      %y = stablehlo.set_dimension_size %two, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<5xf32>
      return %y : tensor<5xf32>
    }
    """

  /// A size that must be an argument's extent.
  private static let argument = """
    func.func @main(%x: tensor<80xf32>, %z: tensor<?xf32>, %m: tensor<i32>) -> (tensor<?xf32>, tensor<?xf32>) {
      %two = stablehlo.add %x, %x : tensor<80xf32>
      %b = stablehlo.set_dimension_size %two, %m, dim = 0 : (tensor<80xf32>, tensor<i32>) -> tensor<?xf32>
      %s = stablehlo.add %z, %b : tensor<?xf32>
      return %s, %b : tensor<?xf32>, tensor<?xf32>
    }
    """

  /// A bound of a size whose elements nobody needs.
  private static let second = """
    func.func @main(%x: tensor<?xf32>, %z: tensor<?xf32>, %n: tensor<i32>) -> (tensor<?xf32>, tensor<?xf32>) {
      %b = stablehlo.set_dimension_size %z, %n, dim = 0 : (tensor<?xf32>, tensor<i32>) -> tensor<?xf32>
      %a = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<?xf32>, tensor<i32>) -> tensor<?xf32>
      %dead = stablehlo.add %a, %b : tensor<?xf32>
      %k = stablehlo.get_dimension_size %b, dim = 0 : (tensor<?xf32>) -> tensor<i32>
      %l = stablehlo.reshape %k : (tensor<i32>) -> tensor<1xi32>
      %zero = stablehlo.constant dense<0> : tensor<1xi32>
      %one = stablehlo.constant dense<1> : tensor<1xi32>
      %s = stablehlo.real_dynamic_slice %z, %zero, %l, %one : (tensor<?xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<?xf32>
      %t = stablehlo.negate %s : tensor<?xf32>
      %r = stablehlo.negate %a : tensor<?xf32>
      return %r, %t : tensor<?xf32>, tensor<?xf32>
    }
    """

  @Test func sizesAreDecidedBeforeTheyAreNeeded() throws {
    let tests = DataExtentTests()
    let sizes = [0, 1, 5, 8].map { Self.number($0) }
    for text in [Self.extentOnly, Self.twice] { try tests.check(text, "cpu", sizes.map { [Self.floats(8), $0] }) }
    try tests.check(Self.circle, "cpu", [-1, 0, 4, 7].map { [Self.floats(8), Self.number($0)] })
    for most in [0, 3, 9] {
      let x = Literal(.i32, [800], (0..<800).map { .integer(Int64($0 == 700 ? -most : 0)) })
      try tests.check(Self.wideCircle, "cpu", [[x, Self.floats(8)]])
    }
    try tests.check(Self.constant, "cpu", [[Self.floats(5), Self.number(5)]])
    try tests.check(Self.fixed, "cpu", [[Self.floats(8), Self.number(5)]])
  }

  /// Calls the function with outputs of so many elements and says what it wrote behind them, and whether it succeeded.
  private func written(_ text: String, _ arguments: [Literal], room: [Int]) throws -> (behind: Int, succeeds: Bool) {
    let module = try Module(parsing: text).resolved()
    let compiled = try CompiledFunction(try #require(module.entry), in: module, Options())
    let byteCount = 4096
    var all: [UnsafeMutableRawPointer] = []
    defer { for pointer in all { pointer.deallocate() } }
    func memory(_ bytes: [UInt8], _ type: ElementType, _ dimensions: [Int]) -> TensorMemory {
      let pointer = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
      pointer.initializeMemory(as: UInt8.self, repeating: 0xAB, count: byteCount)
      bytes.withUnsafeBytes { if let base = $0.baseAddress { pointer.copyMemory(from: base, byteCount: $0.count) } }
      all.append(pointer)
      return TensorMemory(data: pointer, elementType: type, dimensions: dimensions)
    }
    let inputs = arguments.map { memory($0.expanded.bytes, $0.elementType, $0.dimensions) }
    let outputs = room.map { memory([], .f32, [$0]) }
    var succeeds = true
    do { try compiled.run(inputs, into: outputs) } catch { succeeds = false }
    let behind = zip(outputs, room).reduce(0) { count, output in
      let bytes = UnsafeRawBufferPointer(start: output.0.data, count: byteCount)
      return count + bytes[(4 * output.1)...].count { $0 != 0xAB }
    }
    return (behind, succeeds)
  }

  @Test func nothingIsWrittenBehindAResult() throws {
    for (size, succeeds) in [(5, true), (4, false), (8, false), (-3, false)] {
      let fixed = try written(Self.fixed, [Self.floats(8), Self.number(size)], room: [5])
      #expect(fixed == (0, succeeds), "\(size)")
      let argument = try written(Self.argument, [Self.floats(80), Self.floats(5), Self.number(size)], room: [5, 5])
      #expect(argument == (0, succeeds), "\(size)")
    }
  }

  /// The slice lies in what the size left out is a size of.
  @Test func eachSizeBoundsItsSymbol() throws {
    for (size, succeeds) in [(0, true), (4, true), (5, false), (100, false)] {
      let arguments = [Self.floats(100), Self.floats(4), Self.number(size)]
      let outcome = try written(Self.second, arguments, room: [100, 100])
      #expect(outcome == (0, succeeds), "\(size)")
    }
  }

  /// In the loop `[min(800 - n, 500), m]` elements are sorted: the fewer n are, the more these.
  @Test func whatHasNoBoundInALoopIsRefused() throws {
    let fixture = try Fixture()
    let text = """
      func.func @main(%x: tensor<800xf32>, %v: tensor<30xf32>, %n: tensor<i32>, %m: tensor<i32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
        %y = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<800xf32>, tensor<i32>) -> tensor<?xf32>
        %vv = stablehlo.set_dimension_size %v, %m, dim = 0 : (tensor<30xf32>, tensor<i32>) -> tensor<?xf32>
        %z = stablehlo.constant dense<0.0> : tensor<f32>
        %s = stablehlo.reduce(%y init: %z) applies stablehlo.add across dimensions = [0] : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
        %s2 = stablehlo.reduce(%vv init: %z) applies stablehlo.add across dimensions = [0] : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
        %k = stablehlo.get_dimension_size %y, dim = 0 : (tensor<?xf32>) -> tensor<i32>
        %km = stablehlo.get_dimension_size %vv, dim = 0 : (tensor<?xf32>) -> tensor<i32>
        %K = stablehlo.constant dense<800> : tensor<i32>
        %L = stablehlo.constant dense<500> : tensor<i32>
        %q0 = stablehlo.subtract %K, %k : tensor<i32>
        %q = stablehlo.minimum %q0, %L : tensor<i32>
        %sh0 = stablehlo.reshape %q : (tensor<i32>) -> tensor<1xi32>
        %sh1 = stablehlo.reshape %km : (tensor<i32>) -> tensor<1xi32>
        %sh = stablehlo.concatenate %sh0, %sh1, dim = 0 : (tensor<1xi32>, tensor<1xi32>) -> tensor<2xi32>
        %i0 = stablehlo.constant dense<0> : tensor<i32>
        %r:2 = stablehlo.while(%i = %i0, %acc = %s) : tensor<i32>, tensor<f32> cond {
          %three = stablehlo.constant dense<3> : tensor<i32>
          %p = stablehlo.compare LT, %i, %three : (tensor<i32>, tensor<i32>) -> tensor<i1> stablehlo.return %p : tensor<i1> } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %j = stablehlo.add %i, %one : tensor<i32>
          %t = stablehlo.dynamic_iota %sh, dim = 0 : (tensor<2xi32>) -> tensor<?x?xf32>
          %b = stablehlo.dynamic_broadcast_in_dim %acc, %sh, dims = [] : (tensor<f32>, tensor<2xi32>) -> tensor<?x?xf32>
          %u = stablehlo.add %t, %b : tensor<?x?xf32>
          %w = stablehlo.sine %u : tensor<?x?xf32>
          %o = "stablehlo.sort"(%w) <{dimension = 0 : i64, is_stable = true}> ({ ^bb0(%a: tensor<f32>, %c: tensor<f32>): %pp = stablehlo.compare LT, %a, %c : (tensor<f32>, tensor<f32>) -> tensor<i1> stablehlo.return %pp : tensor<i1> }) : (tensor<?x?xf32>) -> tensor<?x?xf32>
          %f = stablehlo.reduce(%o init: %acc) applies stablehlo.add across dimensions = [0, 1] : (tensor<?x?xf32>, tensor<f32>) -> tensor<f32>
          stablehlo.return %j, %f : tensor<i32>, tensor<f32> }
        return %r#1, %s, %s2 : tensor<f32>, tensor<f32>, tensor<f32>
      }
      """
    let outcome = try fixture.tfc("compile", try fixture.write(text, "loop.mlir"), "-o", "libloop.so")
    #expect(outcome.code == 2)
    #expect(outcome.error.contains("whose size that data decides has no bound"), "\(outcome.error)")
  }
}

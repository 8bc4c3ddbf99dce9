import IR
import Testing

@testable import Driver

/// Graphs of types that memory holds in a byte or less, compiled for the processor and, where there is one, for a device,
/// fused and not, against `evaluate`.
@Suite(.serialized) struct NarrowTypeTests {
  private static func compile(_ fixture: borrowing Fixture, _ text: String, _ target: Options.Target, fuses: Bool)
    throws
  {
    var options = Options()
    options.target = target
    options.fuses = fuses
    options.verifies = true
    try Pipeline(options).compile(try fixture.write(text, "graph.mlir"), to: fixture.path("libgraph.so"))
  }

  private static let backends: [Options.Target] = {
    do {
      let fixture = try Fixture()
      try compile(fixture, Fixture.layer, .opencl, fuses: true)
      _ = try Artifact(fixture.path("libgraph.so"))
      return [.cpu, .opencl]
    } catch {
      return "\(error)".contains("OpenCL") ? [.cpu] : [.cpu, .opencl]
    }
  }()

  private func check(_ text: String) throws {
    let module = try Module(parsing: text, fileName: "graph.mlir")
    let inputs = module.functions[0].graph.parameterTypes.map { numbers($0) }
    let expected = try module.functions[0].evaluate(inputs, in: module)
    for target in Self.backends {
      for fuses in [true, false] {
        let fixture = try Fixture()
        try Self.compile(fixture, text, target, fuses: fuses)
        let artifact = try Artifact(fixture.path("libgraph.so"))
        let buffers = try CallBuffers(
          artifact, inputs: inputs, outputDimensions: try artifact.solve(inputs).outputs)
        try artifact.run(buffers)
        for (position, (result, expected)) in zip(buffers.results, expected).enumerated() {
          #expect(result == expected, "result \(position) on \(target), fused: \(fuses)")
        }
      }
    }
  }

  /// Few different numbers, whose sums are exact in every type.
  private func numbers(_ type: TensorType) -> Literal {
    var state: UInt64 = 0x9E37_79B9
    let dimensions = type.dimensions.compactMap(\.fixed)
    let element = type.elementType
    let values = (0..<dimensions.reduce(1, *)).map { _ -> Scalar in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let number = Int64(bitPattern: state) >> 33
      if !element.isFloat { return .integer(element.wrapped(number)) }
      return .real(
        element == .f8E8M0FNU ? [1, 2, 0.5, 4][Int(number & 3)] : [0, 1, 0, -0.5, 0, 0, 1, -1][Int(number & 7)])
    }
    return Literal(element, dimensions, values)
  }

  /// Each element's bits in parts, the parts computed with, and put together again.
  @Test(arguments: [
    ("i32", "i4", 8), ("i8", "ui2", 4), ("i8", "i4", 2), ("ui4", "i2", 2), ("f32", "ui4", 8), ("bf16", "i1", 16),
    ("f8E5M2", "ui4", 2), ("i16", "i4", 4),
  ]) func bitsInOtherGroups(_ wide: String, _ narrow: String, _ count: Int) throws {
    for shape in ["3x5x", "2x0x", ""] {
      let (words, parts) = ("tensor<\(shape)\(wide)>", "tensor<\(shape)\(count)x\(narrow)>")
      try check(
        """
        func.func @main(%x: \(words), %y: \(parts)) -> (\(parts), \(parts), \(words), \(words)) {
          %0 = stablehlo.bitcast_convert %x : (\(words)) -> \(parts)
          %1 = stablehlo.add %0, %y : \(parts)
          %2 = stablehlo.bitcast_convert %1 : (\(parts)) -> \(words)
          %3 = stablehlo.bitcast_convert %y : (\(parts)) -> \(words)
          return %0, %1, %2, %3 : \(parts), \(parts), \(words), \(words)
        }
        """)
    }
  }

  @Test(arguments: ["i2", "ui2", "i4", "ui4"]) func integersWrapAfterEachOperation(_ type: String) throws {
    let sign = type.hasPrefix("u") ? "UNSIGNED" : "SIGNED"
    for shape in ["259x", "3x7x", "", "0x"] {
      let (x, i1, i32) = ("tensor<\(shape)\(type)>", "tensor<\(shape)i1>", "tensor<\(shape)i32>")
      try check(
        """
        func.func @main(%a: \(x), %b: \(x)) -> (\(x), \(x), \(x), \(i1), \(i32)) {
          %0 = stablehlo.add %a, %b : \(x)
          %1 = stablehlo.multiply %0, %b : \(x)
          %2 = stablehlo.shift_right_logical %1, %0 : \(x)
          %3 = stablehlo.compare LT, %0, %a, \(sign) : (\(x), \(x)) -> \(i1)
          %4 = stablehlo.convert %0 : (\(x)) -> \(i32)
          return %0, %1, %2, %3, %4 : \(x), \(x), \(x), \(i1), \(i32)
        }
        """)
    }
  }

  /// Folds, products, windows, sorts and scatters.
  @Test(arguments: ["i4", "ui2", "f8E4M3FN", "f8E5M2FNUZ", "f8E8M0FNU", "f6E3M2FN", "f4E2M1FN"])
  func opsOfManyElements(_ type: String) throws {
    let (x, t) = ("tensor<5x9x\(type)>", "tensor<\(type)>")
    let order = type.hasPrefix("f") ? "FLOAT" : type.hasPrefix("u") ? "UNSIGNED" : "SIGNED"
    func region(_ function: String) -> String {
      """
      ({
        ^bb0(%p: \(t), %q: \(t)):
          %r = stablehlo.\(function) %p, %q : \(t)
          stablehlo.return %r : \(t)
        })
      """
    }
    try check(
      """
      func.func @main(%x: \(x), %y: tensor<9x3x\(type)>, %i: \(t), %u: tensor<2x9x\(type)>, %n: tensor<2x1xi32>)
          -> (tensor<9x\(type)>, tensor<5x\(type)>, \(x), \(x), \(x), tensor<5x3x\(type)>) {
        %0 = stablehlo.reduce(%x init: %i) applies stablehlo.minimum across dimensions = [0] : (\(x), \(t)) -> tensor<9x\(type)>
        %1 = stablehlo.reduce(%x init: %i) applies stablehlo.maximum across dimensions = [1] : (\(x), \(t)) -> tensor<5x\(type)>
        %2 = "stablehlo.reduce_window"(%x, %i) <{window_dimensions = array<i64: 1, 3>,
            padding = dense<[[0, 0], [1, 1]]> : tensor<2x2xi64>}> \(region("maximum")) : (\(x), \(t)) -> \(x)
        %3 = "stablehlo.sort"(%x) <{dimension = 1 : i64, is_stable = true}> ({
        ^bb0(%p: \(t), %q: \(t)):
          %r = stablehlo.compare LT, %p, %q, \(order) : (\(t), \(t)) -> tensor<i1>
          stablehlo.return %r : tensor<i1>
        }) : (\(x)) -> \(x)
        %4 = "stablehlo.scatter"(%x, %n, %u) <{scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1],
            inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>,
            indices_are_sorted = false, unique_indices = false}> \(region("add"))
            : (\(x), tensor<2x1xi32>, tensor<2x9x\(type)>) -> \(x)
        %5 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (\(x), tensor<9x3x\(type)>) -> tensor<5x3x\(type)>
        return %0, %1, %2, %3, %4, %5 : tensor<9x\(type)>, tensor<5x\(type)>, \(x), \(x), \(x), tensor<5x3x\(type)>
      }
      """)
  }
}

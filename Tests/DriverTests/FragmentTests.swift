import Foundation
import IR
import Testing

@testable import Driver

/// Products in fragments, as NVIDIA's devices multiply them: the driver is told to build an emulation that has their layout.
@Suite(.serialized, .enabled(if: OpenCLLibraryTests.hasDevice)) struct FragmentTests {
  init() {
    setenv("POCL_EXTRA_BUILD_FLAGS", "-DTFC_TENSOR_EMULATED", 1)
  }

  private func results(
    _ text: String, _ inputs: [Literal], _ precision: Options.Precision = .f32, hasTensorInstructions: Bool = true
  ) throws -> [Literal] {
    let fixture = try Fixture()
    let device = OpenCLDevice(
      name: "device", itemCount: 256, localByteCount: 48 << 10, subgroupItemCount: 32, computeUnitCount: 2,
      vectorWidth: 1, fp64: true, hasTensorInstructions: hasTensorInstructions)
    try device.write(to: fixture.path("device.json"))
    var options = Options()
    options.target = .opencl
    options.device = fixture.path("device.json")
    options.precision = precision
    options.verifies = true
    let library = fixture.path("lib.so")
    try Pipeline(options).compile(try fixture.write(text, "graph.mlir"), to: library)
    let artifact = try Artifact(library)
    let (_, dimensions) = try artifact.solve(inputs)
    let buffers = try CallBuffers(artifact, inputs: inputs, outputDimensions: dimensions)
    try artifact.run(buffers)
    return buffers.results
  }

  private func dot(_ m: String, _ k: Int, _ n: Int, _ type: String, _ result: String) -> String {
    """
    func.func @main(%x: tensor<\(m)x\(k)x\(type)>, %y: tensor<\(k)x\(n)x\(type)>) -> tensor<\(m)x\(n)x\(result)> {
      %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<\(m)x\(k)x\(type)>, tensor<\(k)x\(n)x\(type)>) -> tensor<\(m)x\(n)x\(result)>
      return %0 : tensor<\(m)x\(n)x\(result)>
    }

    """
  }

  private func literal(_ type: ElementType, _ dimensions: [Int], _ value: (Int) -> Double) -> Literal {
    Literal(type, dimensions, (0..<dimensions.reduce(1, *)).map { .real(value($0)) })
  }

  /// What the precision leaves of the operands tells which kernel has run.
  @Test func precisionSaysWhetherFragmentsAreMultiplied() throws {
    let x = literal(.f32, [20, 40]) { _ in 1 + 0x1p-10 }
    let y = literal(.f32, [40, 24]) { _ in 1 }
    let text = dot("20", 40, 24, "f32", "f32")
    for (precision, expected) in [
      (Options.Precision.f32, 40 * (1 + 0x1p-10)), (.f32Strict, 40 * (1 + 0x1p-10)), (.fast, 40 * (1 + 0x1p-10)),
      (.bf16, 40),
    ] {
      let found = try results(text, [x, y], precision)[0].reals
      #expect(found.allSatisfy { $0 == expected }, "\(precision): \(found[0]) is not \(expected)")
    }
    let plain = try results(text, [x, y], .bf16, hasTensorInstructions: false)[0].reals
    #expect(plain.allSatisfy { $0 == 40 * (1 + 0x1p-10) })
  }

  @Test func twoPartsHaveSixteenBitsAndAllThatIsNotFinite() throws {
    let infinity = Double.infinity
    // As f32 next to what bf16 rounds to infinity.
    let large = 0x1.fffp127
    let special = [infinity, -infinity, .nan, large, -large, 0, -0.0, 1 + 0x1p-9, 3.140625]
    let x = literal(.f32, [18, 33]) { $0 % 33 == $0 / 33 ? special[$0 / 33 % special.count] : 0x1.0101p-3 }
    let y = literal(.f32, [33, 17]) { [0.5, -0x1.8181p-2, 0x1p-20, 1, -0.75][($0 / 17 + $0 % 17) % 5] }
    let found = try results(dot("18", 33, 17, "f32", "f32"), [x, y], .fast)[0].reals
    let exact = product(x, y, 18, 33, 17)
    for (n, (a, e)) in zip(found, exact).enumerated() {
      let isRight =
        e.value.isFinite ? abs(a - e.value) <= e.magnitude * 0x1p-14 : a == e.value || a.isNaN && e.value.isNaN
      #expect(isRight, "row \(n / 17), column \(n % 17): \(a) is not \(e.value)")
    }
  }

  /// Each sum, and that of the products' magnitudes.
  private func product(_ x: Literal, _ y: Literal, _ m: Int, _ k: Int, _ n: Int) -> [(value: Double, magnitude: Double)]
  {
    let (a, b) = (x.reals, y.reals)
    return (0..<m * n).map { place in
      let products = (0..<k).map { a[place / n * k + $0] * b[$0 * n + place % n] }
      return (products.reduce(0, +), products.reduce(0) { $0 + abs($1) })
    }
  }

  /// Tiles of several runs, depths that pieces do not fill, and one that two groups share.
  @Test(arguments: [
    ("f16", ElementType.f16, 35, 52, 70), ("bf16", .bf16, 17, 37, 24), ("bf16", .bf16, 16, 530, 16),
  ])
  func sumsOfTwoByteFloatsAreThoseOfF32(name: String, type: ElementType, m: Int, k: Int, n: Int) throws {
    let x = literal(type, [m, k]) { Double($0 * 7 % 13 - 6) / 4 }
    let y = literal(type, [k, n]) { Double($0 * 5 % 11 - 5) / 2 }
    let found = try results(dot("\(m)", k, n, name, "f32"), [x, y])[0].reals
    #expect(found == product(x, y, m, k, n).map(\.value))
  }

  @Test func infinitiesAndNaNOfF16StayWhatTheyAre() throws {
    let x = literal(.f16, [16, 32]) { [1, .infinity, -2, .nan, 0, -.infinity, 0x1p-24][$0 / 32 % 7] }
    let y = literal(.f16, [32, 16]) { Double($0 % 16 - 7) }
    let found = try results(dot("16", 32, 16, "f16", "f32"), [x, y])[0].reals
    for (a, e) in zip(found, product(x, y, 16, 32, 16)) { #expect(a == e.value || a.isNaN && e.value.isNaN) }
  }

  /// Products of few sums are divided along the depth, those of 8192 and more are not.
  @Test(arguments: [false, true], [0, 1, 17, 341, 342, 400])
  func fewAndManySumsAreTheSame(fragments: Bool, rows: Int) throws {
    let x = literal(.f32, [rows, 300]) { Double($0 * 7 % 13 - 6) }
    let y = literal(.f32, [300, 24]) { Double($0 * 5 % 11 - 5) / 2 }
    let found = try results(dot("?", 300, 24, "f32", "f32"), [x, y], .bf16, hasTensorInstructions: fragments)[0]
    #expect(found.dimensions == [rows, 24])
    #expect(found.reals == product(x, y, rows, 300, 24).map(\.value))
  }

  /// Below sixteen rows the kernel without fragments runs.
  @Test(arguments: [0, 1, 15, 16, 17, 40]) func rowsMayBeSymbols(rows: Int) throws {
    let x = literal(.f32, [rows, 40]) { _ in 1 + 0x1p-10 }
    let y = literal(.f32, [40, 24]) { _ in 1 }
    let found = try results(dot("?", 40, 24, "f32", "f32"), [x, y], .bf16)[0]
    #expect(found.dimensions == [rows, 24])
    #expect(found.reals.allSatisfy { $0 == (rows < 16 ? 40 * (1 + 0x1p-10) : 40) })
  }
}

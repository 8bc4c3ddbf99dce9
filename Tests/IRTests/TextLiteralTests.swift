import Testing

@testable import IR

@Suite struct TextLiteralTests {
  private func literal(_ text: String, definitions: String = "", resources: String = "") throws -> Literal {
    let arrow = text.split(separator: " : ").last ?? ""
    let module = try Module(
      parsing: """
        \(definitions)
        func.func public @main() -> \(arrow) {
          %0 = stablehlo.constant \(text)
          return %0 : \(arrow)
        }
        \(resources)
        """)
    guard case .constant(let constant) = module.functions[0].graph.nodes[0].op else {
      throw OpError("there is no constant")
    }
    // What is printed is the same literal.
    let again = try Module(parsing: module.irText())
    #expect(again.removingLocations() == module.removingLocations())
    return constant.value
  }

  private static let floatCases: [(String, [Double])] = [
    ("dense<1.5> : tensor<2xf32>", [1.5, 1.5]),
    ("dense<[1.0, -2.5e-1]> : tensor<2xf32>", [1, -0.25]),
    ("dense<[[1.0], [2.0]]> : tensor<2x1xf64>", [1, 2]),
    ("dense<[inf, -inf]> : tensor<2xf32>", [.infinity, -.infinity]),
    ("dense<[0x7F800000, 0xFF800000]> : tensor<2xf32>", [.infinity, -.infinity]),
    ("dense<\"0x0000803F00000040\"> : tensor<2xf32>", [1, 2]),
    ("dense<\"0x0000803F\"> : tensor<2xf32>", [1, 1]),
    ("dense<> : tensor<0xf32>", []),
    ("dense<[]> : tensor<0x3xf32>", []),
    ("dense<[[], []]> : tensor<2x0xf32>", []),
    ("dense<0x3C00> : tensor<f16>", [1]),
    ("dense<[1.0, 3.140000e+00]> : tensor<2xbf16>", [1, 3.140625]),
    ("dense<0.1> : tensor<f64>", [0.1]),
    ("dense<1.7976931348623157e+308> : tensor<f64>", [1.7976931348623157e308]),
    ("dense<4.9e-324> : tensor<f64>", [Double.leastNonzeroMagnitude]),
    ("dense<123456789012345678901234567890.0> : tensor<f64>", [1.2345678901234568e29]),
    ("dense<0.00000000000000000000000000000012345678> : tensor<f32>", [Double(Float(1.2345678e-31))]),
  ]

  @Test(arguments: floatCases)
  func floats(text: String, values: [Double]) throws {
    #expect(try literal(text).scalars == values.map { .real($0) })
  }

  private static let integerCases: [(String, [Int64])] = [
    ("dense<[1, -2]> : tensor<2xi32>", [1, -2]),
    ("dense<-9223372036854775808> : tensor<i64>", [Int64.min]),
    ("dense<18446744073709551615> : tensor<ui64>", [-1]),
    ("dense<[255, 0]> : tensor<2xui8>", [255, 0]),
    ("dense<[true, false]> : tensor<2xi1>", [1, 0]),
    ("dense<\"0x05\"> : tensor<3xi1>", [1, 0, 1]),
    ("dense<\"0xFF\"> : tensor<9xi1>", [Int64](repeating: 1, count: 9)),
    ("dense<[0xFF, 1]> : tensor<2xi32>", [255, 1]),
    ("dense<[-8, 7]> : tensor<2xi4>", [-8, 7]),
  ]

  @Test(arguments: integerCases)
  func integers(text: String, values: [Int64]) throws {
    #expect(try literal(text).scalars == values.map { .integer($0) })
  }

  @Test func complex() throws {
    #expect(try literal("dense<(1.0,-2.0)> : tensor<3xcomplex<f32>>").splatValue == .complex(1, -2))
    let list = try literal("dense<[(1.0, 2.0), (0x7FC00000,0.0)]> : tensor<2xcomplex<f32>>")
    #expect(list[0] == .complex(1, 2))
    #expect(list[1].realValue.isNaN)
  }

  @Test func longLiteralsAreHexadecimal() throws {
    let values = (0..<1000).map { Scalar.real(Double(Float($0) * 0.37)) }
    var graph = Graph()
    let constant = try graph.append(.constant(Literal(.f32, [10, 100], values)))
    graph.results = [constant]
    #expect(graph.irText.contains("dense<\"0x"))
    let module = try Module(parsing: graph.irText)
    #expect(module.functions[0].graph.removingLocations() == graph)
  }

  @Test func resources() throws {
    let literal = try literal(
      "dense_resource<weights> : tensor<2xf32>",
      resources: """
        {-#
          dialect_resources: {
            builtin: {
              weights: "0x040000000000803F00000040"
            }
          },
          external_resources: { other: { x: true } }
        #-}
        """)
    #expect(literal.scalars == [.real(1), .real(2)])
  }

  @Test func floatsPrintShortAndExact() {
    #expect(ElementType.f32.text(of: 1e-5) == "1.0e-05")
    #expect(ElementType.f32.text(of: Double(Float(0.1))) == "0.1")
    #expect(ElementType.f64.text(of: 0.1) == "0.1")
    #expect(ElementType.f32.text(of: .infinity) == "0x7F800000")
    #expect(ElementType.bf16.text(of: .nan) == "0x7FC0")
    #expect(ElementType.f32.text(of: 3e38) == "3.0e+38")
  }
}

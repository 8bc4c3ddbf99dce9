import IR
import ImportStableHLO
import Testing

@Suite struct StableHLOImporterTests {
  private func ops(_ text: String) throws -> [String] {
    let module = try StableHLOImporter().module(parsing: text, fileName: "m.mlir")
    return module.functions[0].graph.nodes.map(\.op.mnemonic)
  }

  @Test func knownCustomCallsBecomeOps() throws {
    let found = try ops(
      """
      module @m {
        sdy.mesh @mesh = <["x"=2]>
        func.func public @main(%arg0: tensor<4x6xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}, {}]>}) -> tensor<4x2xf32> {
          %0 = stablehlo.custom_call @Sharding(%arg0) {backend_config = "", mhlo.sharding = "{replicated}"} : (tensor<4x6xf32>) -> tensor<4x6xf32>
          %1 = sdy.sharding_constraint %0 <@mesh, [{}, {}]> : tensor<4x6xf32>
          %2 = stablehlo.custom_call @mhlo.erf(%1) {mhlo.attributes = {}, mhlo.version = 1 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
          %3:2 = stablehlo.custom_call @mhlo.topk(%2) {mhlo.attributes = {k = 2 : i64, largest = true}} : (tensor<4x6xf32>) -> (tensor<4x2xf32>, tensor<4x2xi32>)
          return %3#0 : tensor<4x2xf32>
        }
      }
      """)
    #expect(
      found == [
        "parameter", "chlo.erf", "chlo.top_k", "stablehlo.get_tuple_element", "stablehlo.get_tuple_element",
      ])
  }

  @Test func compositesOfKnownNamesBecomeOps() throws {
    let found = try ops(
      """
      module @m {
        func.func public @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {
          %0 = stablehlo.composite "chlo.erf" %arg0 {decomposition = @chlo.erf.impl, version = 1 : i32} : (tensor<4xf32>) -> tensor<4xf32>
          %1 = stablehlo.composite "my.op" %0 {composite_attributes = {a = 1 : i64}, decomposition = @chlo.erf.impl} : (tensor<4xf32>) -> tensor<4xf32>
          return %1 : tensor<4xf32>
        }
        func.func private @chlo.erf.impl(%arg0: tensor<4xf32>) -> tensor<4xf32> {
          return %arg0 : tensor<4xf32>
        }
      }
      """)
    #expect(found == ["parameter", "chlo.erf", "stablehlo.composite"])
  }

  @Test func unknownCustomCallsAreListedWithTheRest() {
    let text = """
      func.func public @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %0 = stablehlo.custom_call @lapack_sgesdd_ffi(%x) : (tensor<4xf32>) -> tensor<4xf32>
        %1 = "stablehlo.all_reduce"(%0) : (tensor<4xf32>) -> tensor<4xf32>
        return %1 : tensor<4xf32>
      }
      """
    let error = #expect(throws: StableHLOImportError.self) {
      try StableHLOImporter().module(parsing: text, fileName: "m.mlir")
    }
    #expect(error?.isUnsupported == true)
    #expect(
      error?.description == """
        unsupported: stablehlo.custom_call @lapack_sgesdd_ffi (m.mlir:2:8)
        unsupported: stablehlo.all_reduce (m.mlir:3:8)
        """)
  }

  @Test func shapeAssertionsStay() throws {
    let found = try ops(
      """
      func.func public @main(%x: tensor<?xf32>) -> tensor<?xf32> {
        %0 = stablehlo.get_dimension_size %x, dim = 0 : (tensor<?xf32>) -> tensor<i32>
        %c = stablehlo.constant dense<1> : tensor<i32>
        %1 = stablehlo.compare GE, %0, %c, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.custom_call @shape_assertion(%1, %0) {api_version = 2 : i32, error_message = "no", has_side_effect = true} : (tensor<i1>, tensor<i32>) -> ()
        return %x : tensor<?xf32>
      }
      """)
    #expect(found.last == "stablehlo.custom_call")
  }

  @Test func otherFormsAreRefused() {
    let importer = StableHLOImporter()
    let bytecode = #expect(throws: StableHLOImportError.self) {
      try importer.module([0x4D, 0x4C, 0xEF, 0x52, 0x0D], fileName: "m.mlirbc")
    }
    #expect(bytecode?.isUnsupported == true)
    #expect(bytecode?.description == "unsupported: StableHLO bytecode (m.mlirbc); write the module as text")
    let binary = #expect(throws: StableHLOImportError.self) { try importer.module([0xFF, 0xFE], fileName: "m") }
    #expect(binary?.description == "m: error: the file is no UTF-8 text")
    let missing = #expect(throws: StableHLOImportError.self) { try importer.module(atPath: "/nonexistent/m.mlir") }
    #expect(missing?.description == "/nonexistent/m.mlir: error: the file cannot be read")
  }
}

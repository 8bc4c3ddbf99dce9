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
        %0 = stablehlo.custom_call @lapack_sgeev_ffi(%x) : (tensor<4xf32>) -> tensor<4xf32>
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
        unsupported: stablehlo.custom_call @lapack_sgeev_ffi (m.mlir:2:8)
        unsupported: stablehlo.all_reduce (m.mlir:3:8)
        """)
  }

  @Test func callsOfLAPACKBecomeOps() throws {
    let found = try ops(
      """
      func.func public @main(%a: tensor<?x4x4xf32>, %b: tensor<?x4x2xf32>) -> tensor<?x4x2xf32> {
        %s = stablehlo.constant dense<[3, 4, 4]> : tensor<3xi32>
        %0:2 = stablehlo.custom_call @lapack_sgeqrf_ffi(%a, %s) {indices_of_shape_operands = dense<[1]> : tensor<1xi64>, mhlo.backend_config = {}, operand_layouts = [dense<[1, 2, 0]> : tensor<3xindex>, dense<0> : tensor<1xindex>], result_layouts = [dense<[1, 2, 0]> : tensor<3xindex>, dense<[1, 0]> : tensor<2xindex>]} : (tensor<?x4x4xf32>, tensor<3xi32>) -> (tensor<?x4x4xf32>, tensor<?x4xf32>)
        %1 = stablehlo.custom_call @lapack_sorgqr_ffi(%0#0, %0#1) {mhlo.backend_config = {}} : (tensor<?x4x4xf32>, tensor<?x4xf32>) -> tensor<?x4x4xf32>
        %2 = stablehlo.custom_call @lapack_strsm_ffi(%1, %b) {mhlo.backend_config = {diag = 85 : ui8, side = 76 : ui8, trans_x = 84 : ui8, uplo = 76 : ui8}} : (tensor<?x4x4xf32>, tensor<?x4x2xf32>) -> tensor<?x4x2xf32>
        return %2 : tensor<?x4x2xf32>
      }
      """)
    #expect(
      found.filter { $0 != "stablehlo.get_tuple_element" } == [
        "parameter", "parameter", "stablehlo.constant", "tfc.householder_qr", "tfc.householder_product",
        "stablehlo.triangular_solve",
      ])
  }

  @Test func callsOfLAPACKGiveItsResults() throws {
    let module = try StableHLOImporter().module(
      parsing: """
        func.func public @main(%a: tensor<3x3xf64>, %s: tensor<3x3xf64>) -> (tensor<3xi32>, tensor<i32>, tensor<i32>, tensor<3xf64>, tensor<3xf64>) {
          %0:3 = stablehlo.custom_call @lapack_dgetrf_ffi(%a) {mhlo.backend_config = {}} : (tensor<3x3xf64>) -> (tensor<3x3xf64>, tensor<3xi32>, tensor<i32>)
          %1:2 = stablehlo.custom_call @lapack_dpotrf_ffi(%a) {mhlo.backend_config = {uplo = 76 : ui8}} : (tensor<3x3xf64>) -> (tensor<3x3xf64>, tensor<i32>)
          %2:3 = stablehlo.custom_call @lapack_dsyevd_ffi(%s) {mhlo.backend_config = {mode = 86 : ui8, uplo = 76 : ui8}} : (tensor<3x3xf64>) -> (tensor<3x3xf64>, tensor<3xf64>, tensor<i32>)
          %3:5 = stablehlo.custom_call @lapack_dgesdd_ffi(%s) {mhlo.backend_config = {mode = 83 : ui8}} : (tensor<3x3xf64>) -> (tensor<3x3xf64>, tensor<3xf64>, tensor<3x3xf64>, tensor<3x3xf64>, tensor<i32>)
          return %0#1, %0#2, %1#1, %2#1, %3#1 : tensor<3xi32>, tensor<i32>, tensor<i32>, tensor<3xf64>, tensor<3xf64>
        }
        """, fileName: "m.mlir")
    func matrix(_ values: [Double]) -> Literal { Literal(.f64, [3, 3], values.map { Scalar.real($0) }) }
    // Rows 1 and 2 are multiples, so that the second pivot is zero after the exchange.
    let inputs = [matrix([1, 2, 3, 2, 4, 6, 0, 0, 5]), matrix([2, 0, 0, 0, -5, 0, 0, 0, 3])]
    let results = try module.functions[0].graph.evaluate(inputs)
    #expect(results[0].scalars == [.integer(2), .integer(2), .integer(3)])
    #expect(results[1][0] == .integer(2))
    #expect(results[2][0] == .integer(1))
    #expect(results[3].scalars == [.real(-5), .real(2), .real(3)])
    #expect(results[4].scalars.map { $0.realValue.rounded() } == [5, 3, 2])
  }

  /// What a call cannot be: its operands, its results, its options.
  @Test(arguments: [
    ("tensor<4xf32>", "tensor<4xf32>", 76, "does not take tensor<4xf32>"),
    ("tensor<4x4xf32>", "tensor<9x9xf32>", 76, "@lapack_spotrf_ffi is tensor<4x4xf32>, not tensor<9x9xf32>"),
    ("tensor<4x4xf32>", "tensor<4x4xf32>", 999, "needs uplo as one of the letters LU"),
    ("tensor<4x5xf32>", "tensor<4x5xf32>", 76, "cholesky factors square matrices"),
  ])
  func wrongCallsOfLAPACKAreRefused(_ operand: String, _ result: String, _ uplo: Int, _ message: String) {
    let text = """
      func.func public @main(%x: \(operand)) -> \(result) {
        %0:2 = stablehlo.custom_call @lapack_spotrf_ffi(%x) {mhlo.backend_config = {uplo = \(uplo) : ui8}} : (\(operand)) -> (\(result), tensor<i32>)
        return %0#0 : \(result)
      }
      """
    let error = #expect(throws: StableHLOImportError.self) {
      try StableHLOImporter().module(parsing: text, fileName: "m.mlir")
    }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    #expect(error?.description.hasPrefix("m.mlir:2:") == true, "\(String(describing: error))")
  }

  @Test func openMatricesOfLAPACKAreRefusedWithTheirPlace() {
    let text = """
      func.func public @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
        %0:2 = stablehlo.custom_call @lapack_sgeqrf_ffi(%x) {mhlo.backend_config = {}} : (tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<4xf32>)
        return %0#0 : tensor<?x4xf32>
      }
      """
    let error = #expect(throws: StableHLOImportError.self) {
      try StableHLOImporter().module(parsing: text, fileName: "m.mlir")
    }
    #expect(error?.isUnsupported == true)
    let message = error?.description ?? ""
    #expect(message.contains("stablehlo.custom_call @lapack_sgeqrf_ffi of matrices whose extent"))
    #expect(message.contains("m.mlir:2"))
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
    let binary = #expect(throws: StableHLOImportError.self) { try importer.module([0xFF, 0xFE], fileName: "m") }
    #expect(binary?.description == "m: error: the file is neither UTF-8 text nor MLIR bytecode")
    let missing = #expect(throws: StableHLOImportError.self) { try importer.module(atPath: "/nonexistent/m.mlir") }
    #expect(missing?.description == "/nonexistent/m.mlir: error: the file cannot be read")
  }
}

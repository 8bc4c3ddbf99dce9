import Testing

@testable import IR

@Suite struct SourceErrorTests {
  private func error(_ text: String) -> SourceError? {
    do {
      _ = try Module(parsing: text, fileName: "m.mlir")
      return nil
    } catch {
      return error
    }
  }

  @Test func placesAndCarets() {
    let text = """
      func.func public @main(%x: tensor<2xf32>) -> tensor<2xf32> {
        %0 = stablehlo.add %x, %y : tensor<2xf32>
        return %0 : tensor<2xf32>
      }
      """
    #expect(
      error(text)?.description == """
        m.mlir:2:26: error: '%y' is used before it is defined
          %0 = stablehlo.add %x, %y : tensor<2xf32>
                                 ^
        """)
  }

  /// A body of lines in a function of `%x: tensor<2xf32>` and `%i: tensor<i32>`, and the message about it.
  private static let wrongLines: [(String, String, String)] = [
    ("%0 = stablehlo.add %x, %x : tensor<3xf32>", "3:22", "'%x' is tensor<2xf32>, not tensor<3xf32>"),
    ("%0 = stablehlo.add %x, %i : (tensor<2xf32>, tensor<i32>) -> tensor<2xf32>", "3:8", "of one type"),
    ("%0 = stablehlo.abs %x : (tensor<2xf32>) -> tensor<3xf32>", "3:8", "gives tensor<2xf32>, not tensor<3xf32>"),
    ("%x = stablehlo.abs %x : tensor<2xf32>", "3:3", "'%x' is defined twice"),
    ("%0:2 = stablehlo.abs %x : tensor<2xf32>", "3:3", "'stablehlo.abs' has 1 results, not 2"),
    ("%0 = stablehlo.abs %x#1 : tensor<2xf32>", "3:22", "has 1 results, no number 1"),
    ("%0 = stablehlo.transpose %x, dims = [1] : (tensor<2xf32>) -> tensor<2xf32>", "3:8", "not a permutation"),
    (
      "%0 = stablehlo.transpose %x, perm = [0] : (tensor<2xf32>) -> tensor<2xf32>", "3:32",
      "expected 'dims', found 'perm'"
    ),
    ("%0 = \"stablehlo.transpose\"(%x) : (tensor<2xf32>) -> tensor<2xf32>", "3:8", "needs the attribute 'permutation'"),
    ("%0 = stablehlo.constant dense<[1.0, 2.0, 3.0]> : tensor<2xf32>", "3:44", "more elements than the type's 2"),
    ("%0 = stablehlo.constant dense<[1.0]> : tensor<2xf32>", "3:37", "1 elements where the type has 2"),
    ("%0 = stablehlo.constant dense<[1.0 2.0]> : tensor<2xf32>", "3:38", "expected ',' between elements"),
    ("%0 = stablehlo.constant dense<256> : tensor<ui8>", "3:33", "256 does not fit ui8"),
    ("%0 = stablehlo.constant dense<x> : tensor<ui8>", "3:33", "expected an integer of type ui8"),
    ("%0 = stablehlo.constant dense<1.0> : tensor<2xf33>", "3:49", "'f33' is not an element type"),
    ("%0 = stablehlo.constant dense<1.0> : tensor<99999999999999999999xf32>", "3:47", "is too large"),
    ("%0 = stablehlo.constant dense<1.0> : tensor<4294967296x4294967296xf32>", "3:40", "does not fit in memory"),
    ("%0 = stablehlo.constant dense<\"0x00\"> : tensor<2xf32>", "3:33", "1 bytes for 2 elements of f32"),
    ("%0 = stablehlo.constant dense<\"0x0> : tensor<2xf32>", "3:33", "a string is not closed in its line"),
    ("%0 = stablehlo.constant dense<1.0 : tensor<2xf32", "3:32", "a literal is not closed"),
    ("%0 = stablehlo.iota dim = : tensor<2xf32>", "3:29", "expected an attribute, found ':'"),
    ("%0 = frobnicate %x", "3:8", "'frobnicate' is not an operation"),
    (
      "%0 = stablehlo.compare XX, %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>", "3:8",
      "has no comparison_direction 'XX'"
    ),
    ("%0 = \"stablehlo.abs\"(%x, %x) : (tensor<2xf32>) -> tensor<2xf32>", "3:8", "2 operands and 1 operand types"),
    ("&", "3:3", "unexpected character"),
    ("%0 = stablehlo.custom_call @f(%x) {a = \"\\q\"} : (tensor<2xf32>) -> tensor<2xf32>", "3:43", "unknown escape"),
  ]

  @Test(arguments: wrongLines)
  func messages(line: String, place: String, message: String) {
    let text = "module {\nfunc.func @main(%x: tensor<2xf32>, %i: tensor<i32>) {\n  \(line)\n  return\n}\n}\n"
    let found = error(text)
    #expect(found.map { "\($0.place)" } == place, "\(line): \(String(describing: found))")
    #expect(found?.message.contains(message) == true, "\(String(describing: found))")
  }

  private static let wrongFiles: [(String, String)] = [
    ("", "the module has no function"), ("module {", "a region is not closed"), ("func.func @f(", "expected"),
    ("func.func @f() { return } func.func @f() { return }", "is defined twice"),
    ("func.func @f() {}", "does not end with 'func.return'"), ("func.func private @f()", "needs a body of one block"),
    ("func.func @f() -> tensor<f32> { return }", "returns 0 values, not 1"),
    ("func.func @f(%x: tensor<*xf32>) { return }", "unranked tensors are not supported"),
    ("\"unterminated", "a string is not closed"), ("%", "a name is missing after '%'"), ("}", "expected an operation"),
    ("func.func @f(%x: tensor<2xf32>) { return %x : }", "expected a type"),
    ("{-# dialect_resources: { builtin: { w: \"0x00", "a string is not closed"),
  ]

  @Test(arguments: wrongFiles)
  func files(text: String, message: String) {
    #expect(error(text)?.message.contains(message) == true, "\(String(describing: error(text)))")
  }

  @Test(arguments: ["[", "{a = ", "(", "tuple<", "loc(callsite(", "#a<", "array<"])
  func deepAttributesAreRefused(open: String) {
    let text = "\"func.func\"() {x = " + String(repeating: open, count: 100_000)
    #expect(error(text) != nil)
  }

  @Test func deepRegionsAreRefused() {
    let open = "\"stablehlo.case\"(%0) ({"
    #expect(error(String(repeating: open, count: 100_000))?.message.contains("nests deeper") == true)
    let braces = String(repeating: "{", count: 100_000)
    #expect(error("foo.bar \(braces)") != nil)
  }

  @Test func deepTypesAndListsAreRefused() {
    let types = String(repeating: "tuple<", count: 100_000)
    #expect(error("func.func @f(%x: \(types)")?.message.contains("nests deeper") == true)
    let list = String(repeating: "[", count: 100_000)
    #expect(
      error("func.func @f() { %0 = stablehlo.constant dense<\(list)> : tensor<1x1xf32>")?.message.contains(
        "nested deeper")
        == true)
    let dimensions = String(repeating: "1x", count: 100_000)
    #expect(error("func.func @f(%x: tensor<\(dimensions)f32>)")?.message.contains("at most 64 dimensions") == true)
  }

  @Test func everythingUnsupportedIsListed() {
    let text = """
      func.func public @main(%x: tensor<2xf32>) -> tensor<2xf32> {
        %0 = stablehlo.frob %x, dim = 3 : tensor<2xf32>
        %1 = "other.op"(%0) ({
          %3 = "inner.op"(%x) : (tensor<2xf32>) -> tensor<2xf32>
          stablehlo.return %3 : tensor<2xf32>
        }) : (tensor<2xf32>) -> tensor<2xf32>
        %2 = stablehlo.add %0, %1 : tensor<2xf32>
        return %2 : tensor<2xf32>
      }
      """
    #expect(
      error(text)?.description == """
        unsupported: stablehlo.frob (m.mlir:2:8)
        unsupported: other.op (m.mlir:3:8)
        unsupported: inner.op (m.mlir:4:10)
        """)
  }

  @Test func bodiesThatUseOutsideValuesAreUnsupported() {
    let text = """
      func.func public @main(%x: tensor<2xf32>, %y: tensor<f32>) -> tensor<f32> {
        %c = stablehlo.constant dense<2.0> : tensor<f32>
        %0 = stablehlo.reduce(%x init: %y) across dimensions = [0] : (tensor<2xf32>, tensor<f32>) -> tensor<f32>
         reducer(%a: tensor<f32>, %b: tensor<f32>) {
          %1 = stablehlo.multiply %b, %c : tensor<f32>
          %2 = stablehlo.add %1, %y : tensor<f32>
          stablehlo.return %2 : tensor<f32>
        }
        return %0 : tensor<f32>
      }
      """
    #expect(error(text)?.description == "unsupported: a region that uses '%y' from outside (m.mlir:6:28)")
  }
}

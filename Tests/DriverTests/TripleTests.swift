#if os(Linux) && arch(x86_64)
  import Foundation
  import Testing

  @testable import Driver

  /// Code for another machine; Tests/AArch64 runs it.
  @Suite struct TripleTests {
    private static let product = """
      func.func @main(%x: tensor<?x256xf32>, %y: tensor<256x16xf32>) -> tensor<?x16xf32> {
        %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<?x256xf32>, tensor<256x16xf32>) -> tensor<?x16xf32>
        return %0 : tensor<?x16xf32>
      }
      """
    private static let narrowing = """
      func.func @main(%x: tensor<8xf32>) -> tensor<8xbf16> {
        %0 = stablehlo.convert %x : (tensor<8xf32>) -> tensor<8xbf16>
        return %0 : tensor<8xbf16>
      }
      """

    private func assembly(_ graph: String, _ arguments: String...) throws -> String {
      let fixture = try Fixture()
      try fixture.write(graph, "graph.mlir")
      let outcome = try fixture.tfc(["compile", "graph.mlir", "--emit", "asm"] + arguments)
      #expect(outcome.code == 0, "\(outcome.error)")
      return outcome.output
    }

    /// Six rows by four vectors are 24 multiply-adds, of which all but one or two take a lane of a register.
    @Test func productsMultiplyByLanes() throws {
      let text = try assembly(Self.product, "--triple", "aarch64-linux-gnu")
      #expect(text == (try assembly(Self.product, "--triple", "arm64-unknown-linux-gnu")))
      let loops = text.components(separatedBy: "\n.LBB").map { loop in
        loop.split(separator: "\n").prefix { !$0.hasPrefix("\tb.") }.map(String.init)
      }
      func count(_ lines: [String], _ part: String) -> Int { lines.count { $0.contains(part) } }
      let whole = loops.filter { count($0, "\tfmla\t") == 24 }
      #expect(!whole.isEmpty)
      for loop in whole {
        #expect(count(loop, ".s[0]") >= 16)
        #expect(count(loop, "[sp") == 0)
      }
    }

    @Test func bf16IsRoundedByTheProcessorThatCan() throws {
      let triple = "aarch64-linux-gnu"
      #expect(try assembly(Self.narrowing, "--triple", triple, "--cpu", "neoverse-v1").contains("\tbfcvtn"))
      #expect(try !assembly(Self.narrowing, "--triple", triple).contains("\tbfcvtn"))
    }

    /// A machine whose name is that of this one is this one.
    @Test func thisMachineMayBeNamed() throws {
      let own = try assembly(Self.product)
      #expect(own == (try assembly(Self.product, "--triple", "x86_64-linux-gnu", "--cpu", "native")))
    }

    @Test func refusesWhatDoesNotFit() throws {
      let fixture = try Fixture()
      try fixture.write(Self.narrowing, "graph.mlir")
      let other = ["--triple", "aarch64-linux-gnu"]
      let runs = "--triple aarch64-linux-gnu is for libraries that another machine runs"
      let cases: [([String], String)] = [
        (["compile", "--triple", "sparc-sun-solaris"], "--triple sparc-sun-solaris is not supported; expected x86_64"),
        (["compile", "--cpu", "native"] + other, "native is the processor of x86_64-linux-gnu"),
        (["compile", "--cpu", "x86-64-v3"] + other, "processor x86-64-v3 is unknown for aarch64-linux-gnu"),
        (["compile", "--cpu", "cortex-a76"], "cortex-a76"),
        (["compile", "--target", "opencl", "--device", "native"] + other, "expected a file"),
        (["compile", "--tune", "t"] + other, runs),
        (["bench"] + other, runs),
        (["bench", "--fused-vs-unfused"] + other, runs),
        (["bench", "--kernels"] + other, runs),
        (["inspect", "--kernels"] + other, runs),
        (["run", "--output-dir", "out"] + other, runs),
        (["run", "--reference", "--output-dir", "out"] + other, runs),
      ]
      for (arguments, message) in cases {
        let outcome = try fixture.tfc(arguments + ["graph.mlir"])
        #expect(outcome.code == 2, "\(arguments): \(outcome.error)")
        #expect(outcome.error.contains(message), "\(arguments): \(outcome.error)")
      }
      #expect(fixture.files == ["graph.mlir"])
    }

    /// The header of a library is enough to tell whose it is.
    @Test func librariesOfAnotherMachineAreRefused() throws {
      let fixture = try Fixture()
      var header = [UInt8](repeating: 0, count: 64)
      header.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
      (header[16], header[18]) = (3, 183)
      try Files.write(header, to: fixture.path("libother.so"))
      for command in [["run", "--output-dir", "out"], ["bench"]] {
        let outcome = try fixture.tfc(command + ["libother.so"])
        #expect(outcome.code == 2)
        #expect(outcome.error.contains("the library is for aarch64, this machine is x86_64"), "\(outcome.error)")
      }
    }
  }
#endif

import Codegen
import Testing

@testable import CodegenLLVM

/// Machines by their names, and what is known of their processors.
@Suite struct TripleTests {
  private func aarch64() throws -> Triple { try #require(Triple("aarch64-linux-gnu")) }

  @Test(arguments: ["aarch64-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-none-linux-gnu", "arm64-linux-gnu"])
  func spellingsOfOneMachine(text: String) throws {
    let triple = try #require(Triple(text))
    #expect(triple == (try aarch64()))
    #expect(triple.description == "aarch64-linux-gnu")
    #expect(triple.architecture == .aarch64)
    #expect(triple.prefixes.first == "aarch64-linux-gnu")
  }

  @Test(
    arguments: [
      "", "linux-gnu", "-linux-gnu", "aarch64", "aarch64-linux", "aarch64-linux-musl", "aarch64--linux-gnu",
      "aarch64-apple-linux-gnu", "aarch64-pc-pc-linux-gnu", "riscv64-linux-gnu", "arm64-apple-macosx",
    ])
  func otherMachinesAreRefused(text: String) { #expect(Triple(text) == nil) }

  @Test func thisMachineHasItsName() throws {
    #expect(Triple.host.isHost)
    #expect(try #require(Triple(Triple.host.text)).isHost)
    #if os(Linux) && arch(x86_64)
      #expect(try #require(Triple("x86_64-linux-gnu")).isHost)
      #expect(try !aarch64().isHost)
    #elseif os(Linux) && arch(arm64)
      #expect(try aarch64().isHost)
    #endif
  }

  @Test(arguments: ["generic", "cortex-a53", "cortex-a76", "neoverse-n1", "apple-m1"])
  func processorsWithoutMoreThanTheLeast(cpu: String) throws {
    let compiler = try LLVMCompiler(cpu: cpu, triple: aarch64())
    #expect(compiler.features == [])
    let target = compiler.target
    #expect(target.cpu == cpu)
    #expect(target.vectorByteCount == 16 && target.vectorRegisterCount == 32)
    #expect(target.hasMultiplyAdd && target.hasLaneFactors && target.tileFormats.isEmpty)
  }

  @Test(arguments: ["neoverse-v1", "neoverse-n2", "apple-m2"]) func processorsThatRoundToBF16(cpu: String) throws {
    #expect(try LLVMCompiler(cpu: cpu, triple: aarch64()).features == ["bf16"])
  }

  @Test(arguments: ["x86-64-v3", "no-such-processor"]) func unknownProcessorsAreRefused(cpu: String) throws {
    let triple = try aarch64()
    #expect(throws: LLVMError.self) { try LLVMCompiler(cpu: cpu, triple: triple) }
  }

  #if os(Linux) && arch(x86_64)
    @Test func nativeIsThisMachines() throws {
      let triple = try aarch64()
      #expect(throws: LLVMError.self) { try LLVMCompiler(cpu: "native", triple: triple) }
      #expect(try LLVMCompiler(triple: triple).target.cpu == "generic")
    }
  #endif
}

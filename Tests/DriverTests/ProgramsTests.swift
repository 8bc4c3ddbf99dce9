import IR
import Testing

@testable import Codegen
@testable import Driver

/// A library's programs, and where their constants lie.
@Suite struct ProgramsTests {
  private func program(_ constants: [(byteOffset: Int, count: Int)]) -> Program {
    Program(
      name: "p", symbols: [], buffers: [],
      constants: constants.map {
        Program.Constant(byteOffset: $0.byteOffset, value: Literal(.ui8, [$0.count], splat: .integer(7)))
      },
      kernels: [], steps: [], arenaByteCount: 0, inputs: [], outputs: [])
  }

  @Test func theDevicesConstantsFollowThoseOfTheCPU() {
    var programs = Programs()
    programs.cpu = program([(0, 3), (64, 65)])
    programs.device = DeviceCode(program([(0, 1), (128, 10)]))
    #expect(programs.deviceConstantsOffset == 192)
    #expect(programs.constants.map(\.byteOffset) == [0, 64, 192, 320])
    let device = programs.device?.interface(sourceFile: "k.cl", constantsOffset: programs.deviceConstantsOffset)
    #expect(device?.constantsOffset == 192)
    #expect(device?.constantsByteCount == 138)
    programs.removeConstants()
    #expect(programs.constants.isEmpty)
  }

  @Test func aDevicesConstantsAloneBeginAtZero() {
    var programs = Programs()
    programs.device = DeviceCode(program([(0, 1), (64, 2)]))
    #expect(programs.deviceConstantsOffset == 0)
    #expect(programs.constants.map(\.byteOffset) == [0, 64])
    programs.device = DeviceCode(program([]))
    programs.cpu = program([(0, 64)])
    #expect(programs.deviceConstantsOffset == 64)
    #expect(programs.constants.map(\.byteOffset) == [0])
    #expect(programs.first == programs.device?.program)
  }
}

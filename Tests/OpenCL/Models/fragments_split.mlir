// Few tiles of fragments and a long depth.
// kernels: kernel dot_general_fragments_sum
func.func @main(%x: tensor<16x530xf16>, %y: tensor<530x16xf16>) -> tensor<16x16xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<16x530xf16>, tensor<530x16xf16>) -> tensor<16x16xf32>
  return %0 : tensor<16x16xf32>
}

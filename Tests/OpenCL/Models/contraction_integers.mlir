// Products of bytes, summed in 32 bits.
func.func @main(%x: tensor<5x17xi8>, %y: tensor<17x6xi8>) -> tensor<5x6xi32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<5x17xi8>, tensor<17x6xi8>) -> tensor<5x6xi32>
  return %0 : tensor<5x6xi32>
}
